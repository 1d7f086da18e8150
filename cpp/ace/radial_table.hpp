// The distinct radial functions that one bond's evaluation needs, as columns of one interleaved spline table.
#pragma once

#include <cstdint>
#include <vector>

#include "ace/aligned_vector.hpp"
#include "ace/potential.hpp"

namespace polypace::ace {

// Columns are linear combinations of the g_k, so R_nl, g_k and repeated R_nl share one mechanism:
// equal combinations are one column. The core repulsion, where there is one, is the last column.
class RadialColumns {
 public:
  RadialColumns() = default;
  RadialColumns(const Bond& bond, int atomic_number_i, int atomic_number_j);

  int add_basis(int k);     // column of g_k
  int add_radial(int n, int l);  // column of R_nl
  void add_core();          // call last; the column is core_column()

  int size() const { return static_cast<int>(combinations_.size()) + (has_core_ ? 1 : 0); }
  int core_column() const { return has_core_ ? static_cast<int>(combinations_.size()) : -1; }
  const Bond& bond() const { return bond_; }

  // Analytic values of all columns; `scratch` holds 2 · bond().k_max numbers.
  void evaluate(double r, double* values, double* derivatives, double* scratch) const;

 private:
  int add(std::vector<double> combination);

  Bond bond_;
  int atomic_numbers_[2] = {0, 0};
  bool has_core_ = false;
  std::vector<std::vector<double>> combinations_;
};

// Cubic Hermite splines on knots r_q = q/scale. One row per knot holds all values, then all derivatives × spacing;
// intervals q ≥ n_intervals are zero, so padding and out-of-range neighbours need no branch.
struct RadialTable {
  int stride = 0;       // padded number of columns
  int n_intervals = 0;  // N = ⌊r_cut/Δ⌋
  double scale = 0;     // N/r_cut
  AlignedVector rows;   // (n_intervals + 3) × 2 × stride
};

constexpr int column_padding = 8;
inline int padded(int n_columns) { return (n_columns + column_padding - 1) / column_padding * column_padding; }

RadialTable tabulate(const RadialColumns& columns, double spacing);

}  // namespace polypace::ace
