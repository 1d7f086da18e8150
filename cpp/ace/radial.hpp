// Radial functions of one bond, analytically: g_k(r), the core repulsion, the switch of all inner cutoffs.
// Symbols and equations: docs/explanation/ace.md, "Radial functions".
#pragma once

#include <string>
#include <vector>

#include "ace/potential.hpp"

namespace polypace::ace {

// A value and its derivative with respect to r (or whatever the argument is).
struct Slope {
  double value = 0, derivative = 0;
};

// S(r; a, d): 1 for r ≤ a − d, 0 for r ≥ a, twice continuously differentiable between.
Slope switch_function(double r, double a, double d);

// g_k(r) for k = 0 … bond.k_max − 1 including the inner cutoff; all 0 for r ≥ r_cut.
void radial_basis(const Bond& bond, double r, double* values, double* derivatives);

// Core repulsion of the pair, 0 for r ≥ r_cut. Atomic numbers matter for ZBL only.
Slope core_repulsion(const Bond& bond, int atomic_number_i, int atomic_number_j, double r);

// Throws std::invalid_argument for a symbol that is no chemical element.
int atomic_number(const std::string& symbol);

}  // namespace polypace::ace
