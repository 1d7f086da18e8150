// SPDX-License-Identifier: GPL-2.0-only
// The environments of a few atoms of one species, gathered from LAMMPS's neighbour list into the arrays the core reads.
#pragma once

#include <cstdint>
#include <vector>

#include "ace/evaluator.hpp"

namespace LAMMPS_NS {
class NeighList;
}

namespace polypace::lammps {

// The part of LAMMPS's list that the ACE can see until the next rebuild: in hybrid/overlay the common list reaches as
// far as the longest style, several times the neighbours of a short-ranged ACE.
struct NearNeighbors {
  std::vector<std::int64_t> offsets;  // by local atom index; atoms outside of the list have no neighbours
  std::vector<int> neighbors;

  void build(const LAMMPS_NS::NeighList& list, int n_local, double** x, double reach);
};

// Arrays only grow: nothing is allocated in a step once the largest block was seen.
class EnvironmentBlock {
 public:
  // Squared distances up to which neighbours are handed on, per ordered pair of species.
  void set_cutoffs(const ace::PotentialHeader& header);

  // `species_of_type[type]` is −1 where a type takes no part.
  void gather(const int* atoms, std::size_t n_atoms, int species, const NearNeighbors& near, double** x,
              const int* type, const std::vector<int>& species_of_type);

  // Fills energies() and gradients(), and the optional outputs where pointers are given (one value per atom).
  void evaluate(const ace::Evaluator& evaluator, ace::Evaluator::Workspace& workspace, double* gammas,
                double* core_factors);

  std::size_t n_atoms() const { return species_.size(); }
  std::int64_t offset(std::size_t atom) const { return offsets_[atom]; }
  int neighbor(std::int64_t pair) const { return neighbors_[pair]; }
  const double* displacement(std::int64_t pair) const { return &displacements_[3 * pair]; }
  const double* gradient(std::int64_t pair) const { return &gradients_[3 * pair]; }
  double energy(std::size_t atom) const { return energies_[atom]; }

  struct Pair {
    std::size_t atom;
    int neighbor;
    double distance;
  };
  Pair closest_pair() const;  // the first atom and −1 when there is none

  double bytes() const;

 private:
  void reserve(std::size_t n_pairs);

  std::vector<std::vector<double>> cutoffs_squared_;  // [centre][neighbour + 1]; [0] is for types without an element
  std::vector<int> species_, neighbors_, neighbor_species_;
  std::vector<std::int64_t> offsets_;
  std::vector<double> displacements_, gradients_, energies_;
};

}  // namespace polypace::lammps
