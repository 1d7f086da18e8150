// MaxVol: the square submatrix of (locally) largest volume, by exchanging rows.
// Goreinov, Oseledets, Savostyanov, Tyrtyshnikov, Zamarashkin, "How to find a good submatrix" (2010), algorithm 1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/view.hpp"

namespace polypace::select {

struct MaxVolOutcome {
  std::size_t n_swaps = 0;
  double largest = 0;      // max |C|
  bool converged = false;  // largest ≤ tolerance
};

// Exchanges rows until no |C_ji| exceeds `tolerance`, at most `max_swaps` times.
//
// coefficients : n × r, C = A·A_selected⁻¹ on entry; used up, where updates were not needed they are missing
// selection    : r row numbers; where row j replaces the i-th of them, selection[i] = j
//
// Each time the first of the largest |C_ji| in row-major order decides, and
//   C ← C − C[:,i] ⊗ (C[j,:] − e_i) / C_ji.
// The updates are kept pending and rows are brought up to date only when an upper bound of their largest entry says
// that they could decide, so that most of the matrix is touched once in many exchanges. Same bits for any n_threads.
MaxVolOutcome exchange_rows(View2<double> coefficients, View1<std::int64_t> selection, double tolerance,
                            std::size_t max_swaps, int n_threads);

}  // namespace polypace::select
