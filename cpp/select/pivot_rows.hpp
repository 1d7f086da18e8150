// Where MaxVol starts: the rows that Gaussian elimination with partial pivoting picks.
#pragma once

#include <cstdint>

#include "base/view.hpp"

namespace polypace::select {

// Replaces A (n × r, n ≥ r) by C = A·A_selected⁻¹, with `selection` (r) the pivot rows of P·A = L·U in their order.
//
// With P·A = [L₁; L₂]·U and A_selected = L₁·U, the rows of C are those of L₂·L₁⁻¹; U is not needed. Rows stay where
// they are. A pivot that is exactly zero (dependent columns) is an std::invalid_argument. Same bits for any n_threads.
//
// Golub, Van Loan, Matrix Computations (4th ed.), algorithm 3.4.1, in blocks of columns.
void coefficients_of_pivot_rows(View2<double> matrix, View1<std::int64_t> selection, int n_threads);

}  // namespace polypace::select
