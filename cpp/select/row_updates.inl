// Body of row_updates_*.cpp; no include guard, each of them includes it once and defines POLYPACE_KERNEL_NAMESPACE,
// POLYPACE_VECTOR_BYTES, POLYPACE_REGISTER_VECTORS (vectors of a tile that are in registers at a time) and
// POLYPACE_REGISTER_ROWS (rows whose vectors are).
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
constexpr std::size_t rows_at_once = POLYPACE_REGISTER_ROWS;
constexpr std::size_t updates_at_once = 128;  // of 32 columns, which stay in the first cache

inline Vector load(const double* values) { return *reinterpret_cast<const Vector*>(values); }

void update_block(double* values, const double* multipliers, const double* updates, std::size_t n_updates) {
  Vector sums[vectors];
  for (std::size_t v = 0; v < vectors; ++v) sums[v] = load(values + v * lanes);
  for (std::size_t s = 0; s < n_updates; ++s)
    for (std::size_t v = 0; v < vectors; ++v) sums[v] -= multipliers[s] * load(updates + s * tile_columns + v * lanes);
  for (std::size_t v = 0; v < vectors; ++v) *reinterpret_cast<Vector*>(values + v * lanes) = sums[v];
}

template <std::size_t n_rows>
void update_rows_block(double* values, std::size_t value_stride, const double* multipliers,
                       std::size_t multiplier_stride, const double* updates, std::size_t n_updates) {
  Vector sums[n_rows][vectors];
  for (std::size_t row = 0; row < n_rows; ++row)
    for (std::size_t v = 0; v < vectors; ++v) sums[row][v] = load(values + row * value_stride + v * lanes);
  for (std::size_t s = 0; s < n_updates; ++s) {
    Vector update[vectors];
    for (std::size_t v = 0; v < vectors; ++v) update[v] = load(updates + s * tile_columns + v * lanes);
    for (std::size_t row = 0; row < n_rows; ++row)
      for (std::size_t v = 0; v < vectors; ++v) sums[row][v] -= multipliers[row * multiplier_stride + s] * update[v];
  }
  for (std::size_t row = 0; row < n_rows; ++row)
    for (std::size_t v = 0; v < vectors; ++v)
      *reinterpret_cast<Vector*>(values + row * value_stride + v * lanes) = sums[row][v];
}

template <std::size_t n_rows>
void update_whole_rows(double* values, std::size_t value_stride, const double* multipliers,
                       std::size_t multiplier_stride, const double* updates, std::size_t n_updates, std::size_t width) {
  double padded[n_rows * tile_columns] = {};
  double* target = values;
  std::size_t stride = value_stride;
  if (width < tile_columns) {
    for (std::size_t row = 0; row < n_rows; ++row)
      std::copy_n(values + row * value_stride, width, padded + row * tile_columns);
    target = padded;
    stride = tile_columns;
  }
  for (std::size_t first = 0; first < tile_columns; first += block_columns)
    update_rows_block<n_rows>(target + first, stride, multipliers, multiplier_stride, updates + first, n_updates);
  if (width < tile_columns)
    for (std::size_t row = 0; row < n_rows; ++row)
      std::copy_n(padded + row * tile_columns, width, values + row * value_stride);
}

void update_rows(double* values, std::size_t value_stride, const double* multipliers, std::size_t multiplier_stride,
                 std::size_t n_rows, const double* updates, std::size_t n_updates, std::size_t width) {
  for (std::size_t s = 0; s < n_updates; s += updates_at_once) {
    const std::size_t n = std::min(updates_at_once, n_updates - s);
    const double* const some = updates + s * tile_columns;
    std::size_t row = 0;
    for (; row + rows_at_once <= n_rows; row += rows_at_once)
      update_whole_rows<rows_at_once>(values + row * value_stride, value_stride,
                                      multipliers + row * multiplier_stride + s, multiplier_stride, some, n, width);
    for (; row < n_rows; ++row)
      update_whole_rows<1>(values + row * value_stride, value_stride, multipliers + row * multiplier_stride + s,
                           multiplier_stride, some, n, width);
  }
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
    update_block(target + first, multipliers, updates + first, n_updates);
  if (width < tile_columns) std::copy_n(padded, width, values);
  return largest_of_tile(target);
}

std::size_t largest_column(const double* row, std::size_t n_columns) {
  std::size_t column = 0;
  for (std::size_t c = 1; c < n_columns; ++c)
    if (std::abs(row[c]) > std::abs(row[column])) column = c;
  return column;
}

typedef float Floats __attribute__((vector_size(POLYPACE_VECTOR_BYTES), aligned(4), may_alias));
constexpr std::size_t float_lanes = POLYPACE_VECTOR_BYTES / sizeof(float);
static_assert(bound_lanes % float_lanes == 0);

float raise_bounds(float* bounds, const float* reach, float size, std::size_t n) {
  Floats largest{};
  for (std::size_t first = 0; first < n; first += float_lanes) {
    Floats& own = *reinterpret_cast<Floats*>(bounds + first);
    own = (own + size * *reinterpret_cast<const Floats*>(reach + first)) * round_up;
    largest = own > largest ? own : largest;
  }
  float result = 0;
  for (std::size_t lane = 0; lane < float_lanes; ++lane) result = std::max(result, largest[lane]);
  return result;
}

}  // namespace

RowKernels row_kernels() { return {update_tile, update_rows, update_entry, largest_column, raise_bounds}; }

}  // namespace polypace::select::POLYPACE_KERNEL_NAMESPACE
