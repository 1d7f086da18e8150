// SPDX-License-Identifier: GPL-2.0-only
// One force evaluation of the ACE pair styles.
#include <algorithm>

#include <atom.h>
#include <error.h>
#include <force.h>
#include <neigh_list.h>
#include <neighbor.h>
#include <update.h>

#include "base/errors.hpp"
#include "pair_ace.hpp"

namespace polypace::lammps {

using namespace LAMMPS_NS;

namespace {
// Large enough for the core to fill its vector lanes, small enough for the caches.
constexpr std::size_t block_size = 64;
}  // namespace

void PairAce::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  prepare_requests();
  group_atoms_by_species();
  // The list was made from the positions of the step with ago = 0; from them the skin counts.
  if (neighbor->ago == 0 || near_.offsets.size() != static_cast<std::size_t>(atom->nlocal) + 1)
    near_.build(*list, atom->nlocal, atom->x, evaluator_->max_cutoff() + neighbor->skin);
  for (std::size_t species = 0; species < atoms_of_species_.size(); ++species) {
    const auto& atoms = atoms_of_species_[species];
    for (std::size_t first = 0; first < atoms.size(); first += block_size)
      compute_block(&atoms[first], std::min(block_size, atoms.size() - first), static_cast<int>(species));
  }
  if (vflag_fdotr) virial_fdotr_compute();
}

// Atoms that the list leaves out (types without an element in a hybrid style) have the value 0.
void PairAce::prepare_requests() {
  for (auto& request : requests_) {
    if (!request.flag) continue;
    request.values.assign(std::max(atom->nlocal, 1), 0.0);
    request.block.resize(block_size);
  }
}

void PairAce::group_atoms_by_species() {
  for (auto& atoms : atoms_of_species_) atoms.clear();
  for (int ii = 0; ii < list->inum; ++ii) {
    const int i = list->ilist[ii];
    const int species = species_of_type_[atom->type[i]];
    if (species >= 0) atoms_of_species_[species].push_back(i);
  }
}

void PairAce::compute_block(const int* atoms, std::size_t n_atoms, int species) {
  block_.gather(atoms, n_atoms, species, near_, atom->x, atom->type, species_of_type_);
  const auto output = [](Request& request) { return request.flag ? request.block.data() : nullptr; };
  try {
    block_.evaluate(*evaluator_, *workspace_, output(requests_[0]), output(requests_[1]));
  } catch (const std::exception& problem) {
    report(problem, atoms);
  }
  scatter(atoms);
}

void PairAce::scatter(const int* atoms) {
  for (std::size_t a = 0; a < block_.n_atoms(); ++a) {
    const int i = atoms[a];
    const double scale = scale_[atom->type[i]][atom->type[i]];
    scatter_gradients(i, a, scale);
    if (eflag_global) eng_vdwl += scale * block_.energy(a);
    if (eflag_atom) eatom[i] += scale * block_.energy(a);
    for (auto& request : requests_)
      if (request.flag) request.values[i] = request.block[a];
  }
}

// With g = dE_i/d(r_j − r_i): f_i += g, f_j −= g; the virial is (x_i − x_j) ⊗ g, shared by the two atoms.
void PairAce::scatter_gradients(int i, std::size_t a, double scale) {
  double** const f = atom->f;
  double sum[3] = {0, 0, 0};
  for (std::int64_t pair = block_.offset(a); pair < block_.offset(a + 1); ++pair) {
    const double* const gradient = block_.gradient(pair);
    const double g[3] = {scale * gradient[0], scale * gradient[1], scale * gradient[2]};
    const int j = block_.neighbor(pair);
    for (int k = 0; k < 3; ++k) {
      sum[k] += g[k];
      f[j][k] -= g[k];
    }
    if (!vflag_either) continue;
    const double* const d = block_.displacement(pair);
    ev_tally_xyz(i, j, atom->nlocal, force->newton_pair, 0.0, 0.0, g[0], g[1], g[2], -d[0], -d[1], -d[2]);
  }
  for (int k = 0; k < 3; ++k) f[i][k] += sum[k];
}

void PairAce::report(const std::exception& problem, const int* atoms) {
  const auto closest = block_.closest_pair();
  if (dynamic_cast<const NumericalError*>(&problem) == nullptr || closest.neighbor < 0)
    error->one(FLERR, fmt::format("pair_style {} on step {}: {}", style_, update->ntimestep, problem.what()));
  error->one(FLERR,
             fmt::format("pair_style {} on step {}: atoms {} and {} are {:.4g} Angstrom apart ({}). The run left what "
                         "the potential knows: check the starting structure, take a smaller timestep, or train with a "
                         "core repulsion and short distances",
                         style_, update->ntimestep, atom->tag[atoms[closest.atom]], atom->tag[closest.neighbor],
                         closest.distance, problem.what()));
}

}  // namespace polypace::lammps
