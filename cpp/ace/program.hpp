// A potential compiled for one central species: which sums over neighbours to form, how to multiply and couple them,
// and which scalar products of the results are the invariant functions.
//
//   slots   x_0 = 1, then the atomic basis A (one multiplet per neighbour species, radial column and l), then the
//           coupled products, every multiplet contiguous;
//   blocks  x[outputs…] = table(x[left…], x[right…]) in an order in which operands come first;
//   terms   B_t = scale · Σ_c x[left + c] x[right + c];
//   ρ_p     = Σ_t coefficients[t][p] B_t.
//
// Everything is real (see real_coupling.hpp), so one interpreter serves the coupled functions of a B-basis, where a
// term is a function, and the plain products of a C-tilde basis.
#pragma once

#include <vector>

#include "ace/potential.hpp"
#include "ace/radial_table.hpp"
#include "ace/real_coupling.hpp"

namespace polypace::ace {

// A_{nlm} of one l: multiplets A[slots[i]…] = Σ_j column[i](r_j) Y_l(r̂_j).
struct LeafGroup {
  int l = 0;
  std::vector<int> columns, slots;
};

struct NeighborProgram {
  bool active = false;  // false: the pair does not interact
  RadialColumns columns;
  RadialTable table;
  int l_max = 0;
  std::vector<LeafGroup> groups;
};

struct PairBlock {
  int left = 0, right = 0, outputs = 0, table = 0;
};

struct Term {
  int left = 0, right = 0, size = 0;
  double scale = 1;
};

struct Program {
  std::vector<NeighborProgram> neighbors;  // per neighbour species
  int n_slots = 1, n_leaf_slots = 1;
  std::vector<CouplingTable> tables;
  std::vector<PairBlock> blocks;
  std::vector<Term> terms;
  int n_densities = 1;
  std::vector<double> coefficients;  // terms × n_densities
  int n_functions = 0;               // terms that are B-projections: all of a B-basis, none of a C-tilde basis
  double e0 = 0;
};

// Largest l of the atomic basis the evaluator is made for.
constexpr int max_angular_momentum = 16;

Program compile(const BPotential& potential, int mu0);
Program compile(const CTildePotential& potential, int mu0);

}  // namespace polypace::ace
