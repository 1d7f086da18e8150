// The inner kernel of MaxVol: rows of C minus pending rank-1 updates. One source, compiled once per instruction set.
#pragma once

#include <cstddef>

namespace polypace::select {

// rows[q][0..n_columns) −= Σ_s multipliers[q][s] updates[s][0..n_columns), s = 0..n_updates−1 in this order, so that a
// row that is brought up to date in several pieces holds the same bits as one that is done at once.
using UpdateRows = void (*)(double* const* rows, const double* const* multipliers, std::size_t n_rows,
                            const double* updates, std::size_t n_updates, std::size_t n_columns);

// Index of the first largest |row[c]|.
using LargestColumn = std::size_t (*)(const double* row, std::size_t n_columns);

// value − Σ_s multipliers[s] updates[s], with the roundings of UpdateRows: an entry computed alone equals the one in its row.
using UpdateEntry = double (*)(double value, const double* multipliers, const double* updates, std::size_t n_updates);

struct RowKernels {
  UpdateRows update_rows;
  UpdateEntry update_entry;
  LargestColumn largest_column;
};

namespace portable { RowKernels row_kernels(); }
namespace avx2 { RowKernels row_kernels(); }
namespace avx512 { RowKernels row_kernels(); }

}  // namespace polypace::select
