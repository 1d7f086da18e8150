// Energies, forces and virials of whole structures: neighbour lists, blocks of atoms on threads, scattering.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "ace/evaluator.hpp"
#include "base/cell.hpp"

namespace polypace::ace {

// Structures one behind the other; caller-owned.
struct Structures {
  std::vector<std::int64_t> offsets{0};  // structures + 1: first atom
  std::vector<Cell> cells;               // per structure
  const double* positions = nullptr;     // n_atoms × 3, Å
  const int* species = nullptr;          // n_atoms
  std::size_t n_structures() const { return cells.size(); }
  std::size_t n_atoms() const { return static_cast<std::size_t>(offsets.back()); }
};

// A null pointer means "not wanted". Virials are dE/d(strain): xx, yy, zz, xy, xz, yz.
struct StructureOutputs {
  double* energies = nullptr;      // n_atoms
  double* forces = nullptr;        // n_atoms × 3
  double* virials = nullptr;       // n_structures × 6; needs forces
  double* projections = nullptr;   // n_atoms × max_projections
  double* gammas = nullptr;        // n_atoms
  double* core_factors = nullptr;  // n_atoms
};

// Scratch memory of the threads, kept between calls because giving it back to the system and getting it again costs as
// much as the evaluation of a small structure. A second call at the same time uses memory of its own.
class StructureWorkspaces {
 public:
  StructureWorkspaces();
  ~StructureWorkspaces();
  StructureWorkspaces(StructureWorkspaces&&) noexcept;
  StructureWorkspaces& operator=(StructureWorkspaces&&) noexcept;

 private:
  friend void evaluate_structures(const Evaluator&, const Structures&, const StructureOutputs&, int,
                                  StructureWorkspaces&);
  friend void evaluate_environments(const Evaluator&, const Environments&, const Outputs&, int, StructureWorkspaces&);
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// The result does not depend on n_threads. Neighbours are in memory for one block of atoms per thread. The workspaces
// must be used with this evaluator only.
void evaluate_structures(const Evaluator& evaluator, const Structures& structures, const StructureOutputs& outputs,
                         int n_threads, StructureWorkspaces& workspaces);

// The same for environments that the caller found (a neighbour list of LAMMPS): any number of atoms, on threads.
void evaluate_environments(const Evaluator& evaluator, const Environments& environments, const Outputs& outputs,
                           int n_threads, StructureWorkspaces& workspaces);

}  // namespace polypace::ace
