// The inner kernels of MaxVol: tiles of rows minus multiples of updates. One source, compiled once per instruction set.
#pragma once

#include <cstddef>

namespace polypace::select {

// values[0..width) −= Σ_s multipliers[s] updates[s·32 + …], width ≤ 32; in the same order and with the same roundings
// however the updates are divided among calls. Returns the largest |value|.
using UpdateTile = double (*)(double* values, const double* multipliers, const double* updates, std::size_t n_updates,
                              std::size_t width);

// value − Σ_s multipliers[s] updates[s], with the roundings of UpdateTile: an entry alone equals the one in its tile.
using UpdateEntry = double (*)(double value, const double* multipliers, const double* updates, std::size_t n_updates);

// The same for many rows at once, a product of matrices: row i of the values begins at values[i·value_stride], its
// multipliers at multipliers[i·multiplier_stride].
using UpdateRows = void (*)(double* values, std::size_t value_stride, const double* multipliers,
                            std::size_t multiplier_stride, std::size_t n_rows, const double* updates,
                            std::size_t n_updates, std::size_t width);

// Index of the first largest |row[c]|.
using LargestColumn = std::size_t (*)(const double* row, std::size_t n_columns);

// bounds[t] ← (bounds[t] + size reach[t]) (1 + 1e-5): floats that stay upper bounds; returns the largest. n is a multiple
// of bound_lanes.
using RaiseBounds = float (*)(float* bounds, const float* reach, float size, std::size_t n);
constexpr std::size_t bound_lanes = 16;
constexpr float round_up = 1 + 1e-5f;

struct RowKernels {
  UpdateTile update_tile;
  UpdateRows update_rows;
  UpdateEntry update_entry;
  LargestColumn largest_column;
  RaiseBounds raise_bounds;
};

namespace portable { RowKernels row_kernels(); }
namespace avx2 { RowKernels row_kernels(); }
namespace avx512 { RowKernels row_kernels(); }

// The fastest ones that this processor can run.
RowKernels choose_kernels();

}  // namespace polypace::select
