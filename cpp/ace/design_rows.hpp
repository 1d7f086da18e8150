// Rows of the linear fit: what every single function, with coefficient 1, contributes to energies, forces and virials.
#pragma once

#include <memory>

#include "ace/evaluator.hpp"
#include "ace/structures.hpp"

namespace polypace::ace {

class DesignRowBuilder {
 public:
  // Columns: the functions of species 0 in canonical order, then those of species 1, …
  explicit DesignRowBuilder(const BPotential& potential, RadialEvaluation radial = RadialEvaluation::spline,
                            Instructions instructions = Instructions::best);
  ~DesignRowBuilder();
  DesignRowBuilder(DesignRowBuilder&&) noexcept;
  DesignRowBuilder& operator=(DesignRowBuilder&&) noexcept;

  std::size_t n_columns() const;
  double max_cutoff() const;

  // energies: structures × columns, Σ_i B_if. forces: (3 atoms) × columns, −∂(Σ_i B_if)/∂x. virials: (6 structures) ×
  // columns, ∂(Σ_i B_if)/∂strain, xx, yy, zz, xy, xz, yz. Structures are spread over threads.
  void fill(const Structures& structures, double* energies, double* forces, double* virials, int n_threads) const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace polypace::ace
