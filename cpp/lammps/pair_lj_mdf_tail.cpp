// SPDX-License-Identifier: GPL-2.0-only
#include "pair_lj_mdf_tail.hpp"

#include <cmath>
#include <cstring>

#include <atom.h>
#include <comm.h>
#include <error.h>
#include <force.h>
#include <memory.h>
#include <neigh_list.h>

namespace polypace::lammps {

using namespace LAMMPS_NS;

PairLJMDFTail::PairLJMDFTail(LAMMPS* lammps) : Pair(lammps) {
  writedata = 1;
  centroidstressflag = CENTROID_SAME;
}

PairLJMDFTail::~PairLJMDFTail() {
  if (copymode || !allocated) return;
  memory->destroy(setflag);
  memory->destroy(cutsq);
  memory->destroy(epsilon_);
  memory->destroy(sigma_);
}

PairLJMDFTail::Value PairLJMDFTail::evaluate(double rsq, double epsilon, double sigma) const {
  if (rsq <= s_in_ * s_in_ || rsq >= r_out_ * r_out_) return {0, 0};
  const double r = std::sqrt(rsq);
  const double s2 = sigma * sigma / rsq, s6 = s2 * s2 * s2;
  double energy = 4 * epsilon * s6 * (s6 - 1);
  double slope = -24 * epsilon * s6 * (2 * s6 - 1) / r;
  if (r < s_out_) {
    const double x = (r - s_in_) / (s_out_ - s_in_);
    const double u = x * x * x * (10 + x * (6 * x - 15));
    const double du = 30 * x * x * (1 - x) * (1 - x) / (s_out_ - s_in_);
    slope = u * slope + du * energy;
    energy *= u;
  }
  if (r > r_in_) {
    const double y = (r - r_in_) / (r_out_ - r_in_), rest = 1 - y;
    const double taper = rest * rest * rest * (1 + y * (3 + 6 * y));
    const double dtaper = -30 * y * y * rest * rest / (r_out_ - r_in_);
    slope = taper * slope + dtaper * energy;
    energy *= taper;
  }
  return {energy, -slope / r};
}

void PairLJMDFTail::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  double** const x = atom->x;
  double** const f = atom->f;
  const int* const type = atom->type;
  const int nlocal = atom->nlocal;
  const int newton_pair = force->newton_pair;
  for (int ii = 0; ii < list->inum; ++ii) {
    const int i = list->ilist[ii];
    for (int jj = 0; jj < list->numneigh[i]; ++jj) {
      const int entry = list->firstneigh[i][jj];
      const double factor = force->special_lj[sbmask(entry)];
      const int j = entry & NEIGHMASK;
      const double dx = x[i][0] - x[j][0], dy = x[i][1] - x[j][1], dz = x[i][2] - x[j][2];
      const double rsq = dx * dx + dy * dy + dz * dz;
      if (rsq >= cutsq[type[i]][type[j]]) continue;
      const Value value = evaluate(rsq, epsilon_[type[i]][type[j]], sigma_[type[i]][type[j]]);
      const double pull = factor * value.force_over_distance;
      f[i][0] += dx * pull;
      f[i][1] += dy * pull;
      f[i][2] += dz * pull;
      if (newton_pair || j < nlocal) {
        f[j][0] -= dx * pull;
        f[j][1] -= dy * pull;
        f[j][2] -= dz * pull;
      }
      if (evflag) ev_tally(i, j, nlocal, newton_pair, factor * value.energy, 0.0, pull, dx, dy, dz);
    }
  }
  if (vflag_fdotr) virial_fdotr_compute();
}

void PairLJMDFTail::allocate() {
  allocated = 1;
  const int n = atom->ntypes + 1;
  memory->create(setflag, n, n, "pair:setflag");
  memory->create(cutsq, n, n, "pair:cutsq");
  memory->create(epsilon_, n, n, "pair:epsilon");
  memory->create(sigma_, n, n, "pair:sigma");
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      setflag[i][j] = 0;
      cutsq[i][j] = epsilon_[i][j] = sigma_[i][j] = 0;
    }
}

void PairLJMDFTail::check_settings() const {
  if (!(0 <= s_in_ && s_in_ < s_out_ && 0 <= r_in_ && r_in_ < r_out_ && s_in_ < r_out_))
    error->all(FLERR,
               fmt::format("pair_style lj/mdf/tail s_in s_out r_in r_out needs 0 <= s_in < s_out and 0 <= r_in < r_out "
                           "and s_in < r_out, got {} {} {} {}", s_in_, s_out_, r_in_, r_out_));
}

void PairLJMDFTail::settings(int narg, char** arg) {
  if (narg != 4)
    error->all(FLERR, fmt::format("pair_style lj/mdf/tail needs four distances, s_in s_out r_in r_out, got {}", narg));
  s_in_ = utils::numeric(FLERR, arg[0], false, lmp);
  s_out_ = utils::numeric(FLERR, arg[1], false, lmp);
  r_in_ = utils::numeric(FLERR, arg[2], false, lmp);
  r_out_ = utils::numeric(FLERR, arg[3], false, lmp);
  check_settings();
}

void PairLJMDFTail::coeff(int narg, char** arg) {
  if (narg != 4)
    error->all(FLERR, fmt::format("pair_coeff of lj/mdf/tail needs: type type epsilon sigma, got {} arguments", narg));
  if (!allocated) allocate();
  int ilo, ihi, jlo, jhi;
  utils::bounds(FLERR, arg[0], 1, atom->ntypes, ilo, ihi, error);
  utils::bounds(FLERR, arg[1], 1, atom->ntypes, jlo, jhi, error);
  const double epsilon = utils::numeric(FLERR, arg[2], false, lmp);
  const double sigma = utils::numeric(FLERR, arg[3], false, lmp);
  if (!(sigma > 0) || !std::isfinite(epsilon))
    error->all(FLERR, fmt::format("pair_coeff of lj/mdf/tail needs a finite epsilon and sigma > 0, got {} {}", epsilon,
                                  sigma));
  int count = 0;
  for (int i = ilo; i <= ihi; ++i)
    for (int j = MAX(jlo, i); j <= jhi; ++j) {
      epsilon_[i][j] = epsilon;
      sigma_[i][j] = sigma;
      setflag[i][j] = 1;
      ++count;
    }
  if (count == 0) error->all(FLERR, fmt::format("pair_coeff {} {} names no pair of types i <= j", arg[0], arg[1]));
}

double PairLJMDFTail::init_one(int i, int j) {
  if (setflag[i][j] == 0) {
    epsilon_[i][j] = mix_energy(epsilon_[i][i], epsilon_[j][j], sigma_[i][i], sigma_[j][j]);
    sigma_[i][j] = mix_distance(sigma_[i][i], sigma_[j][j]);
    did_mix = true;
  }
  epsilon_[j][i] = epsilon_[i][j];
  sigma_[j][i] = sigma_[i][j];
  return r_out_;
}

double PairLJMDFTail::single(int, int, int itype, int jtype, double rsq, double, double factor_lj, double& fforce) {
  const Value value = evaluate(rsq, epsilon_[itype][jtype], sigma_[itype][jtype]);
  fforce = factor_lj * value.force_over_distance;
  return factor_lj * value.energy;
}

void* PairLJMDFTail::extract(const char* name, int& dim) {
  dim = 2;
  if (std::strcmp(name, "epsilon") == 0) return epsilon_;
  if (std::strcmp(name, "sigma") == 0) return sigma_;
  return nullptr;
}

void PairLJMDFTail::write_restart(FILE* file) {
  write_restart_settings(file);
  for (int i = 1; i <= atom->ntypes; ++i)
    for (int j = i; j <= atom->ntypes; ++j) {
      fwrite(&setflag[i][j], sizeof(int), 1, file);
      if (!setflag[i][j]) continue;
      fwrite(&epsilon_[i][j], sizeof(double), 1, file);
      fwrite(&sigma_[i][j], sizeof(double), 1, file);
    }
}

void PairLJMDFTail::read_restart(FILE* file) {
  read_restart_settings(file);
  allocate();
  for (int i = 1; i <= atom->ntypes; ++i)
    for (int j = i; j <= atom->ntypes; ++j) {
      if (comm->me == 0) utils::sfread(FLERR, &setflag[i][j], sizeof(int), 1, file, nullptr, error);
      MPI_Bcast(&setflag[i][j], 1, MPI_INT, 0, world);
      if (!setflag[i][j]) continue;
      if (comm->me == 0) {
        utils::sfread(FLERR, &epsilon_[i][j], sizeof(double), 1, file, nullptr, error);
        utils::sfread(FLERR, &sigma_[i][j], sizeof(double), 1, file, nullptr, error);
      }
      MPI_Bcast(&epsilon_[i][j], 1, MPI_DOUBLE, 0, world);
      MPI_Bcast(&sigma_[i][j], 1, MPI_DOUBLE, 0, world);
    }
}

void PairLJMDFTail::write_restart_settings(FILE* file) {
  const double distances[] = {s_in_, s_out_, r_in_, r_out_};
  fwrite(distances, sizeof(double), 4, file);
  fwrite(&offset_flag, sizeof(int), 1, file);
  fwrite(&mix_flag, sizeof(int), 1, file);
}

void PairLJMDFTail::read_restart_settings(FILE* file) {
  double distances[4];
  if (comm->me == 0) {
    utils::sfread(FLERR, distances, sizeof(double), 4, file, nullptr, error);
    utils::sfread(FLERR, &offset_flag, sizeof(int), 1, file, nullptr, error);
    utils::sfread(FLERR, &mix_flag, sizeof(int), 1, file, nullptr, error);
  }
  MPI_Bcast(distances, 4, MPI_DOUBLE, 0, world);
  MPI_Bcast(&offset_flag, 1, MPI_INT, 0, world);
  MPI_Bcast(&mix_flag, 1, MPI_INT, 0, world);
  s_in_ = distances[0];
  s_out_ = distances[1];
  r_in_ = distances[2];
  r_out_ = distances[3];
  check_settings();
}

void PairLJMDFTail::write_data(FILE* file) {
  for (int i = 1; i <= atom->ntypes; ++i) fprintf(file, "%d %.15g %.15g\n", i, epsilon_[i][i], sigma_[i][i]);
}

void PairLJMDFTail::write_data_all(FILE* file) {
  for (int i = 1; i <= atom->ntypes; ++i)
    for (int j = i; j <= atom->ntypes; ++j)
      fprintf(file, "%d %d %.15g %.15g\n", i, j, epsilon_[i][j], sigma_[i][j]);
}

}  // namespace polypace::lammps
