// Where MaxVol starts: the rows that Gaussian elimination with partial pivoting takes.
#pragma once

#include <cstdint>

#include "base/view.hpp"

namespace polypace::select {

// matrix    : n × r, n ≥ r; A on entry, C = A·A_selected⁻¹ on return
// selection : the r pivot rows of A in order
//
// With P·A = [L₁; L₂]·U the rows of C are unit vectors and those of L₂·L₁⁻¹: U is not needed. Columns are halved down to
// panels (Toledo, SIAM J. Matrix Anal. Appl. 18, 1065 (1997)), so nearly all work is products of matrices. Same bits for
// any n_threads. Columns that are linearly dependent are an error.
void pivot_rows(View2<double> matrix, View1<std::int64_t> selection, int n_threads);

}  // namespace polypace::select
