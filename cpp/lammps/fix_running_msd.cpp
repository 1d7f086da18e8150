// SPDX-License-Identifier: GPL-2.0-only
#include "fix_running_msd.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>

#include <atom.h>
#include <comm.h>
#include <domain.h>
#include <error.h>
#include <update.h>

namespace polypace::lammps {

using namespace LAMMPS_NS;
using namespace FixConst;

namespace {

// What one unit of the run's style is in the units of the file: ps and Å, or τ and σ for Lennard-Jones units.
struct FileUnits {
  const char* style;
  double time, length;
  const char *time_name, *area_name;
};

constexpr FileUnits units_of_styles[] = {
    {"metal", 1, 1, "ps", "A2"},        {"real", 1e-3, 1, "ps", "A2"}, {"lj", 1, 1, "tau", "sigma2"},
    {"electron", 1e-3, 0.529177210903, "ps", "A2"}, {"nano", 1e3, 10, "ps", "A2"}, {"micro", 1e6, 1e4, "ps", "A2"},
    {"si", 1e12, 1e10, "ps", "A2"},     {"cgs", 1e12, 1e8, "ps", "A2"}};

const FileUnits& file_units(const std::string& style) {
  const auto found = std::find_if(std::begin(units_of_styles), std::end(units_of_styles),
                                  [&](const FileUnits& units) { return style == units.style; });
  return found == std::end(units_of_styles) ? units_of_styles[0] : *found;
}

}  // namespace

FixRunningMsd::FixRunningMsd(LAMMPS* lammps, int narg, char** arg) : Fix(lammps, narg, arg) {
  if (narg < 6) error->all(FLERR, "fix polypace/msd needs: Nevery Nwrite file [points p] [ratio m]");
  nevery = utils::inumeric(FLERR, arg[3], false, lmp);
  write_every_ = utils::inumeric(FLERR, arg[4], false, lmp);
  path_ = arg[5];
  if (nevery < 1 || write_every_ < nevery || write_every_ % nevery != 0)
    error->all(FLERR, fmt::format("fix polypace/msd: Nevery must be at least 1 and Nwrite a multiple of it, got {} {}",
                                  nevery, write_every_));
  read_options(narg - 6, arg + 6);
  if (!atom->molecule_flag || !atom->tag_enable)
    error->all(FLERR, "fix polypace/msd needs an atom style with molecule ids, such as bond, molecular or full");
  restart_global = 1;
  time_depend = 1;
}

void FixRunningMsd::read_options(int narg, char** arg) {
  for (int i = 0; i < narg; i += 2) {
    const std::string word = arg[i];
    if (word != "points" && word != "ratio")
      error->all(FLERR, fmt::format("fix polypace/msd: unknown keyword '{}', known are: points ratio", word));
    if (i + 1 == narg) error->all(FLERR, fmt::format("fix polypace/msd: {} needs a number", word));
    (word == "points" ? points_ : ratio_) = utils::inumeric(FLERR, arg[i + 1], false, lmp);
  }
  if (ratio_ < 2 || points_ < 2 * ratio_ || points_ % ratio_ != 0)
    error->all(FLERR, fmt::format("fix polypace/msd: ratio must be at least 2 and points a multiple of it, at least "
                                  "twice it; got points {} ratio {}", points_, ratio_));
}

int FixRunningMsd::setmask() { return END_OF_STEP | POST_RUN; }

void FixRunningMsd::init() {
  if (domain->box_change)
    error->all(FLERR, "fix polypace/msd: the box changes in this run, and displacements of unwrapped coordinates would "
                      "mix with it; measure at constant volume");
  if (msd_ && timestep_ != update->dt)
    error->all(FLERR, fmt::format("fix polypace/msd: the timestep changed from {} to {}; unfix it and start anew",
                                  timestep_, update->dt));
}

void FixRunningMsd::setup(int) {
  if (!msd_) find_homes();
  timestep_ = update->dt;
  if (update->ntimestep % nevery == 0 && update->ntimestep != last_sample_) sample();
}

void FixRunningMsd::end_of_step() {
  sample();
  if (update->ntimestep % write_every_ == 0) write_file();
}

void FixRunningMsd::post_run() {
  if (msd_) write_file();
}

// Rows (id, x, y, z) or (id, molecule, mass, x, y, z) of the group's atoms, sent to the homes of their molecules.
std::vector<double> FixRunningMsd::exchange(int width) {
  const int n_ranks = comm->nprocs;
  const auto home = [&](int i) { return static_cast<int>(atom->molecule[i] % n_ranks); };
  std::vector<int> send(n_ranks, 0), send_from(n_ranks, 0), receive(n_ranks), receive_from(n_ranks, 0);
  for (int i = 0; i < atom->nlocal; ++i)
    if (atom->mask[i] & groupbit) send[home(i)] += width;
  MPI_Alltoall(send.data(), 1, MPI_INT, receive.data(), 1, MPI_INT, world);
  for (int rank = 1; rank < n_ranks; ++rank) {
    send_from[rank] = send_from[rank - 1] + send[rank - 1];
    receive_from[rank] = receive_from[rank - 1] + receive[rank - 1];
  }
  std::vector<double> outgoing(send_from.back() + send.back()), incoming(receive_from.back() + receive.back());
  std::vector<int> next = send_from;
  for (int i = 0; i < atom->nlocal; ++i) {
    if (!(atom->mask[i] & groupbit)) continue;
    double* row = &outgoing[next[home(i)]];
    next[home(i)] += width;
    *row++ = static_cast<double>(atom->tag[i]);
    if (width == 6) {
      *row++ = static_cast<double>(atom->molecule[i]);
      *row++ = atom->rmass ? atom->rmass[i] : atom->mass[atom->type[i]];
    }
    domain->unmap(atom->x[i], atom->image[i], row);
  }
  MPI_Alltoallv(outgoing.data(), send.data(), send_from.data(), MPI_DOUBLE, incoming.data(), receive.data(),
                receive_from.data(), MPI_DOUBLE, world);
  return incoming;
}

void FixRunningMsd::find_homes() {
  const auto rows = exchange(6);
  std::map<tagint, const double*> beads;  // ascending ids: the same order on any number of ranks
  for (std::size_t first = 0; first < rows.size(); first += 6) beads[static_cast<tagint>(rows[first])] = &rows[first];
  std::unordered_map<tagint, int> chain_of_molecule;
  std::vector<int> chains;
  std::vector<double> masses;
  for (const auto& [tag, row] : beads) {
    const auto molecule = static_cast<tagint>(row[1]);
    if (molecule < 1)
      error->one(FLERR, fmt::format("fix polypace/msd: the molecule id of atom {} is {}, it must be positive", tag,
                                    molecule));
    const auto [chain, is_new] = chain_of_molecule.try_emplace(molecule, static_cast<int>(chain_of_molecule.size()));
    bead_of_tag_[tag] = tags_.size();
    tags_.push_back(tag);
    chains.push_back(chain->second);
    masses.push_back(row[2]);
  }
  const auto n_chains = static_cast<int>(chain_of_molecule.size());
  msd_ = std::make_unique<dynamics::RunningMsd>(chains, masses, n_chains, points_, ratio_);
  positions_.resize(3 * tags_.size());
  bigint here[2] = {static_cast<bigint>(tags_.size()), n_chains}, all[2];
  MPI_Allreduce(here, all, 2, MPI_LMP_BIGINT, MPI_SUM, world);
  n_beads_ = all[0];
  n_chains_ = all[1];
  if (n_beads_ == 0) error->all(FLERR, "fix polypace/msd: the group has no atoms");
  if (!restart_.empty()) continue_from_restart(tags_);
}

void FixRunningMsd::sample() {
  if (last_sample_ >= 0 && update->ntimestep != last_sample_ + nevery)
    error->all(FLERR, fmt::format("fix polypace/msd: step {} follows on {}, samples must be {} steps apart; unfix it "
                                  "and start anew", update->ntimestep, last_sample_, nevery));
  const auto rows = exchange(4);
  std::size_t n_known = 0;
  for (std::size_t first = 0; first < rows.size(); first += 4) {
    const auto bead = bead_of_tag_.find(static_cast<tagint>(rows[first]));
    if (bead == bead_of_tag_.end()) continue;
    std::copy_n(&rows[first + 1], 3, &positions_[3 * bead->second]);
    ++n_known;
  }
  if (n_known != tags_.size())
    error->one(FLERR, fmt::format("fix polypace/msd: {} of {} atoms are no longer there", tags_.size() - n_known,
                                  tags_.size()));
  msd_->push(positions_.data());
  last_sample_ = update->ntimestep;
}

std::vector<FixRunningMsd::Sums> FixRunningMsd::total_sums() const {
  std::vector<Sums> sums = msd_->sums();
  std::vector<double> here, all(3 * sums.size());
  for (const auto& entry : sums) here.insert(here.end(), {entry.g1, entry.g2, entry.g3});
  MPI_Allreduce(here.data(), all.data(), static_cast<int>(all.size()), MPI_DOUBLE, MPI_SUM, world);
  for (std::size_t k = 0; k < sums.size(); ++k) {
    sums[k].g1 = all[3 * k];
    sums[k].g2 = all[3 * k + 1];
    sums[k].g3 = all[3 * k + 2];
  }
  return sums;
}

void FixRunningMsd::write_file() {
  const auto sums = total_sums();
  if (comm->me != 0) return;
  const std::string temporary = path_ + ".part";
  FILE* const file = fopen(temporary.c_str(), "w");
  if (file == nullptr) error->one(FLERR, fmt::format("fix polypace/msd: cannot write {}", temporary));
  fprintf(file, "# mean square displacements up to step %lld: %lld beads, %lld chains\n",
          static_cast<long long>(last_sample_), static_cast<long long>(n_beads_), static_cast<long long>(n_chains_));
  const FileUnits& units = file_units(update->unit_style);
  fprintf(file, "# lag_%s g1_%s g2_%s g3_%s origins\n", units.time_name, units.area_name, units.area_name, units.area_name);
  const double area = units.length * units.length;
  for (const auto& entry : sums) {
    const auto origins = static_cast<double>(entry.origins), beads = origins * static_cast<double>(n_beads_);
    const double lag = static_cast<double>(entry.lag) * nevery * timestep_ * units.time;
    fprintf(file, "%.10g %.16g %.16g %.16g %lld\n", lag, area * entry.g1 / beads, area * entry.g2 / beads,
            area * entry.g3 / (origins * static_cast<double>(n_chains_)), static_cast<long long>(entry.origins));
  }
  const bool complete = ferror(file) == 0 && fclose(file) == 0;
  if (!complete || rename(temporary.c_str(), path_.c_str()) != 0)
    error->one(FLERR, fmt::format("fix polypace/msd: cannot write {} (is the disk full?)", path_));
}

double FixRunningMsd::memory_usage() {
  if (!msd_) return 0;
  const auto kept = dynamics::RunningMsd::n_kept(msd_->n_samples(), points_, ratio_);
  return static_cast<double>(sizeof(double)) * 6.0 * static_cast<double>(kept * tags_.size());
}

}  // namespace polypace::lammps
