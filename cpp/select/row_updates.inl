// Body of row_updates_*.cpp; no include guard, each of them includes it once and defines POLYPACE_KERNEL_NAMESPACE,
// POLYPACE_VECTOR_BYTES and POLYPACE_REGISTER_VECTORS (vectors per row, for four rows at a time in registers).
#include <algorithm>
#include <cmath>

#include "select/row_updates.hpp"

namespace polypace::select::POLYPACE_KERNEL_NAMESPACE {
namespace {

constexpr std::size_t tile_columns = 32;

// GCC and Clang keep these in registers; arrays of doubles they do not.
typedef double Vector __attribute__((vector_size(POLYPACE_VECTOR_BYTES), aligned(8), may_alias));
constexpr std::size_t lanes = POLYPACE_VECTOR_BYTES / sizeof(double);
constexpr std::size_t vectors = POLYPACE_REGISTER_VECTORS;
constexpr std::size_t block_columns = lanes * vectors;

inline Vector load(const double* values) { return *reinterpret_cast<const Vector*>(values); }

template <std::size_t NRows>
void update_block(double* const* rows, const double* const* multipliers, const double* updates, std::size_t n_updates,
                  std::size_t stride, std::size_t first) {
  Vector sums[NRows][vectors];
  for (std::size_t q = 0; q < NRows; ++q)
    for (std::size_t v = 0; v < vectors; ++v) sums[q][v] = load(rows[q] + first + v * lanes);
  for (std::size_t s = 0; s < n_updates; ++s) {
    Vector update[vectors];
    for (std::size_t v = 0; v < vectors; ++v) update[v] = load(updates + s * stride + first + v * lanes);
    for (std::size_t q = 0; q < NRows; ++q)
      for (std::size_t v = 0; v < vectors; ++v) sums[q][v] -= multipliers[q][s] * update[v];
  }
  for (std::size_t q = 0; q < NRows; ++q)
    for (std::size_t v = 0; v < vectors; ++v)
      *reinterpret_cast<Vector*>(rows[q] + first + v * lanes) = sums[q][v];
}

template <std::size_t NRows>
void update_group(double* const* rows, const double* const* multipliers, const double* updates, std::size_t n_updates,
                  std::size_t n_columns) {
  std::size_t first = 0;
  for (; first + block_columns <= n_columns; first += block_columns)
    update_block<NRows>(rows, multipliers, updates, n_updates, n_columns, first);
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

double largest_of_tile(const double* values) {
  Vector largest{};
  for (std::size_t first = 0; first < tile_columns; first += lanes) {
    const Vector value = load(values + first), size = value < 0 ? -value : value;
    largest = size > largest ? size : largest;
  }
  double result = 0;
  for (std::size_t lane = 0; lane < lanes; ++lane) result = std::max(result, largest[lane]);
  return result;
}

double update_tile(double* values, const double* multipliers, const double* updates, std::size_t n_updates,
                   std::size_t width) {
  double padded[tile_columns] = {};
  double* target = values;
  if (width < tile_columns) {
    std::copy_n(values, width, padded);
    target = padded;
  }
  for (std::size_t first = 0; first < tile_columns; first += block_columns)
    update_block<1>(&target, &multipliers, updates, n_updates, tile_columns, first);
  if (width < tile_columns) std::copy_n(padded, width, values);
  return largest_of_tile(target);
}

std::size_t largest_column(const double* row, std::size_t n_columns) {
  std::size_t column = 0;
  for (std::size_t c = 1; c < n_columns; ++c)
    if (std::abs(row[c]) > std::abs(row[column])) column = c;
  return column;
}

}  // namespace

RowKernels row_kernels() { return {update_rows, update_tile, update_entry, largest_column}; }

}  // namespace polypace::select::POLYPACE_KERNEL_NAMESPACE
