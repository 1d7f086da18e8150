// Energies, gradients, projections and extrapolation grades of atomic environments.
//
// The evaluator knows environments only: who the neighbours are is the caller's business (Python's neighbour list or
// LAMMPS's), and so is scattering the pair gradients to forces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ace/potential.hpp"

namespace polypace::ace {

// Environments of a block of atoms in CSR form. Neighbours beyond their own bond's cutoff are allowed and skipped.
struct Environments {
  std::size_t n_atoms = 0;
  const int* species = nullptr;             // n_atoms: central species
  const std::int64_t* offsets = nullptr;    // n_atoms + 1
  const double* displacements = nullptr;    // n_pairs × 3: r_j − r_i, Å
  const int* neighbor_species = nullptr;    // n_pairs
};

// Caller-owned outputs; a null pointer means "not wanted".
struct Outputs {
  double* energies = nullptr;        // n_atoms, eV
  double* pair_gradients = nullptr;  // n_pairs × 3: dE_i/d(r_j − r_i), eV/Å; F_i += g, F_j −= g
  double* projections = nullptr;     // n_atoms × max_projections(), rows padded with 0
  double* gammas = nullptr;          // n_atoms, needs an active set
  double* core_factors = nullptr;    // n_atoms: 1 − fcut
  double* densities = nullptr;       // n_atoms × max_densities(), rows padded with 0
};

enum class RadialEvaluation { spline, analytic };

// `best`: the widest instruction set of this processor. The others exist for tests and comparisons.
enum class Instructions { best, portable, avx2, avx512 };

// Inverse active sets, one square matrix per species (row-major), as stored in .asi files.
struct ActiveSet {
  std::vector<std::vector<double>> matrices;
};

class Evaluator {
 public:
  explicit Evaluator(const BPotential& potential, RadialEvaluation radial = RadialEvaluation::spline);
  explicit Evaluator(const CTildePotential& potential, RadialEvaluation radial = RadialEvaluation::spline);
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;

  const PotentialHeader& header() const;
  double max_cutoff() const;
  int n_projections(int species) const;
  int max_projections() const;
  int max_densities() const;

  // Throws std::invalid_argument where the processor lacks them.
  void use_instructions(Instructions instructions);
  const char* instructions() const;

  // Linear or full is decided by the sizes, as pacemaker does; an error when the sizes fit neither.
  void set_active_set(const ActiveSet& active_set);
  bool has_active_set() const;
  bool active_set_is_full() const;

  // Scratch memory of one thread; grows to the largest block seen, no allocation per atom.
  class Workspace;
  std::unique_ptr<Workspace, void (*)(Workspace*)> make_workspace() const;

  // Thread-safe for different workspaces. Throws NumericalError where two atoms (nearly) coincide.
  void evaluate(const Environments& environments, const Outputs& outputs, Workspace& workspace) const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace polypace::ace
