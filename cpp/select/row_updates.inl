// Body of row_updates_*.cpp; no include guard, each of them defines POLYPACE_KERNEL_NAMESPACE and includes it once.
#include <algorithm>
#include <cmath>

#include "select/row_updates.hpp"

namespace polypace::select::POLYPACE_KERNEL_NAMESPACE {
namespace {

constexpr std::size_t tile = 32;  // columns held in registers while all updates pass by

template <std::size_t NRows>
void update_tile(double* const* rows, const double* const* multipliers, const double* updates, std::size_t n_updates,
                 std::size_t n_columns, std::size_t first) {
  double sums[NRows][tile];
  for (std::size_t q = 0; q < NRows; ++q)
    for (std::size_t c = 0; c < tile; ++c) sums[q][c] = rows[q][first + c];
  for (std::size_t s = 0; s < n_updates; ++s) {
    const double* update = updates + s * n_columns + first;
    for (std::size_t q = 0; q < NRows; ++q) {
      const double multiplier = multipliers[q][s];
      for (std::size_t c = 0; c < tile; ++c) sums[q][c] -= multiplier * update[c];
    }
  }
  for (std::size_t q = 0; q < NRows; ++q)
    for (std::size_t c = 0; c < tile; ++c) rows[q][first + c] = sums[q][c];
}

template <std::size_t NRows>
void update_group(double* const* rows, const double* const* multipliers, const double* updates, std::size_t n_updates,
                  std::size_t n_columns) {
  std::size_t first = 0;
  for (; first + tile <= n_columns; first += tile)
    update_tile<NRows>(rows, multipliers, updates, n_updates, n_columns, first);
  for (std::size_t q = 0; q < NRows; ++q)
    for (std::size_t s = 0; s < n_updates; ++s)
      for (std::size_t c = first; c < n_columns; ++c) rows[q][c] -= multipliers[q][s] * updates[s * n_columns + c];
}

void update_rows(double* const* rows, const double* const* multipliers, std::size_t n_rows, const double* updates,
                 std::size_t n_updates, std::size_t n_columns) {
  std::size_t q = 0;
  for (; q + 4 <= n_rows; q += 4) update_group<4>(rows + q, multipliers + q, updates, n_updates, n_columns);
  for (; q < n_rows; ++q) update_group<1>(rows + q, multipliers + q, updates, n_updates, n_columns);
}

double update_entry(double value, const double* multipliers, const double* updates, std::size_t n_updates) {
  for (std::size_t s = 0; s < n_updates; ++s) value -= multipliers[s] * updates[s];
  return value;
}

std::size_t largest_column(const double* row, std::size_t n_columns) {
  double lanes[tile] = {};
  std::size_t first = 0;
  for (; first + tile <= n_columns; first += tile)
    for (std::size_t c = 0; c < tile; ++c) lanes[c] = std::max(lanes[c], std::abs(row[first + c]));
  double largest = 0;
  for (const double lane : lanes) largest = std::max(largest, lane);
  for (; first < n_columns; ++first) largest = std::max(largest, std::abs(row[first]));
  std::size_t column = 0;
  while (column + 1 < n_columns && std::abs(row[column]) != largest) ++column;
  return column;
}

}  // namespace

RowKernels row_kernels() { return {update_rows, update_entry, largest_column}; }

}  // namespace polypace::select::POLYPACE_KERNEL_NAMESPACE
