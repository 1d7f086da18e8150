// SPDX-License-Identifier: GPL-2.0-only
#include "environment_block.hpp"

#include <cmath>
#include <limits>

#include <neigh_list.h>

namespace polypace::lammps {

using namespace LAMMPS_NS;

void EnvironmentBlock::set_cutoffs(const ace::PotentialHeader& header) {
  // The core has the last word on who lies inside; the margin keeps rounding here from deciding it.
  constexpr double margin = 1 + 1e-12;
  const int n = header.n_species();
  cutoffs_squared_.assign(n, std::vector<double>(n + 1, 0.0));
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const auto& bond = header.bond(i, j);
      if (bond.defined) cutoffs_squared_[i][j + 1] = bond.r_cut * bond.r_cut * margin;
    }
}

void NearNeighbors::build(const NeighList& list, int n_local, double** x, double reach) {
  offsets.assign(n_local + 1, 0);
  for (int ii = 0; ii < list.inum; ++ii) offsets[list.ilist[ii] + 1] = list.numneigh[list.ilist[ii]];
  neighbors.clear();
  std::int64_t n = 0;
  for (int i = 0; i < n_local; ++i) {
    const auto n_entries = offsets[i + 1];
    for (std::int64_t entry = 0; entry < n_entries; ++entry) {
      const int j = list.firstneigh[i][entry] & NEIGHMASK;
      const double d[] = {x[j][0] - x[i][0], x[j][1] - x[i][1], x[j][2] - x[i][2]};
      if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] > reach * reach) continue;
      neighbors.push_back(j);
      ++n;
    }
    offsets[i + 1] = n;
  }
}

void EnvironmentBlock::gather(const int* atoms, std::size_t n_atoms, int species, const NearNeighbors& near, double** x,
                              const int* type, const std::vector<int>& species_of_type) {
  species_.assign(n_atoms, species);
  offsets_.assign(1, 0);
  std::size_t most = 0;
  for (std::size_t atom = 0; atom < n_atoms; ++atom) most += near.offsets[atoms[atom] + 1] - near.offsets[atoms[atom]];
  reserve(most);
  const double* const cutoffs = cutoffs_squared_[species].data();
  std::size_t n = 0;
  for (std::size_t atom = 0; atom < n_atoms; ++atom) {
    const int i = atoms[atom];
    const double xi = x[i][0], yi = x[i][1], zi = x[i][2];
    const int* const entries = near.neighbors.data() + near.offsets[i];
    const auto n_entries = near.offsets[i + 1] - near.offsets[i];
    // Every neighbour is written, those outside are overwritten by the next: no branch to be mispredicted.
    for (std::int64_t entry = 0; entry < n_entries; ++entry) {
      const int j = entries[entry];
      const int neighbor_species = species_of_type[type[j]];
      double* const d = &displacements_[3 * n];
      d[0] = x[j][0] - xi;
      d[1] = x[j][1] - yi;
      d[2] = x[j][2] - zi;
      neighbors_[n] = j;
      neighbor_species_[n] = neighbor_species;
      n += d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < cutoffs[neighbor_species + 1];
    }
    offsets_.push_back(static_cast<std::int64_t>(n));
  }
}

void EnvironmentBlock::reserve(std::size_t n_pairs) {
  if (neighbors_.size() > n_pairs) return;
  neighbors_.resize(n_pairs + 1);  // one more, which the last neighbour outside is written to
  neighbor_species_.resize(n_pairs + 1);
  displacements_.resize(3 * (n_pairs + 1));
  gradients_.resize(3 * (n_pairs + 1));
}

void EnvironmentBlock::evaluate(const ace::Evaluator& evaluator, ace::Evaluator::Workspace& workspace, double* gammas,
                                double* core_factors) {
  if (energies_.size() < n_atoms()) energies_.resize(n_atoms());
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
