// SPDX-License-Identifier: GPL-2.0-only
#include "environment_block.hpp"

#include <cmath>
#include <limits>

#include <neigh_list.h>

namespace polypace::lammps {

using namespace LAMMPS_NS;

void EnvironmentBlock::set_cutoffs(const ace::PotentialHeader& header) {
  n_species_ = header.n_species();
  cutoffs_squared_.clear();
  // The core has the last word on who lies inside; the margin keeps rounding here from deciding it.
  constexpr double margin = 1 + 1e-12;
  for (const auto& bond : header.bonds)
    cutoffs_squared_.push_back(bond.defined ? bond.r_cut * bond.r_cut * margin : 0.0);
}

void EnvironmentBlock::gather(const int* atoms, std::size_t n_atoms, int species, const NeighList& list, double** x,
                              const int* type, const std::vector<int>& species_of_type) {
  species_.assign(n_atoms, species);
  offsets_.assign(1, 0);
  neighbors_.clear();
  neighbor_species_.clear();
  displacements_.clear();
  for (std::size_t atom = 0; atom < n_atoms; ++atom) {
    const int i = atoms[atom];
    for (int jj = 0; jj < list.numneigh[i]; ++jj) {
      const int j = list.firstneigh[i][jj] & NEIGHMASK;
      const int neighbor_species = species_of_type[type[j]];
      if (neighbor_species < 0) continue;
      const double d[3] = {x[j][0] - x[i][0], x[j][1] - x[i][1], x[j][2] - x[i][2]};
      if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] >= cutoff_squared(species, neighbor_species)) continue;
      neighbors_.push_back(j);
      neighbor_species_.push_back(neighbor_species);
      displacements_.insert(displacements_.end(), d, d + 3);
    }
    offsets_.push_back(static_cast<std::int64_t>(neighbors_.size()));
  }
}

void EnvironmentBlock::evaluate(const ace::Evaluator& evaluator, ace::Evaluator::Workspace& workspace, double* gammas,
                                double* core_factors) {
  if (energies_.size() < n_atoms()) energies_.resize(n_atoms());
  if (gradients_.size() < displacements_.size()) gradients_.resize(displacements_.size());
  ace::Environments environments;
  environments.n_atoms = n_atoms();
  environments.species = species_.data();
  environments.offsets = offsets_.data();
  environments.displacements = displacements_.data();
  environments.neighbor_species = neighbor_species_.data();
  ace::Outputs outputs;
  outputs.energies = energies_.data();
  outputs.pair_gradients = gradients_.data();
  outputs.gammas = gammas;
  outputs.core_factors = core_factors;
  evaluator.evaluate(environments, outputs, workspace);
}

EnvironmentBlock::Pair EnvironmentBlock::closest_pair() const {
  Pair closest{0, -1, std::numeric_limits<double>::infinity()};
  for (std::size_t atom = 0; atom < n_atoms(); ++atom)
    for (std::int64_t pair = offsets_[atom]; pair < offsets_[atom + 1]; ++pair) {
      const double* d = displacement(pair);
      const double distance = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
      if (distance < closest.distance) closest = {atom, neighbors_[pair], distance};
    }
  return closest;
}

double EnvironmentBlock::bytes() const {
  const std::size_t doubles = displacements_.capacity() + gradients_.capacity() + energies_.capacity();
  const std::size_t integers = species_.capacity() + neighbors_.capacity() + neighbor_species_.capacity();
  return static_cast<double>(8 * (doubles + offsets_.capacity()) + 4 * integers);
}

}  // namespace polypace::lammps
