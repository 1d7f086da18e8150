#include "ace/radial_table.hpp"

#include <algorithm>
#include <cmath>

#include "ace/radial.hpp"
#include "base/errors.hpp"

namespace polypace::ace {

RadialColumns::RadialColumns(const Bond& bond, int atomic_number_i, int atomic_number_j)
    : bond_(bond), atomic_numbers_{atomic_number_i, atomic_number_j} {}

int RadialColumns::add(std::vector<double> combination) {
  const auto found = std::find(combinations_.begin(), combinations_.end(), combination);
  if (found != combinations_.end()) return static_cast<int>(found - combinations_.begin());
  combinations_.push_back(std::move(combination));
  return static_cast<int>(combinations_.size()) - 1;
}

int RadialColumns::add_basis(int k) {
  require(k >= 0 && k < bond_.k_max, "a function uses radial function g_", k + 1, " of a bond with nradbase = ",
          bond_.k_max);
  std::vector<double> combination(bond_.k_max, 0.0);
  combination[k] = 1;
  return add(std::move(combination));
}

int RadialColumns::add_radial(int n, int l) {
  require(n >= 0 && n < bond_.n_max && l >= 0 && l <= bond_.l_max, "a function uses R_nl with n = ", n + 1, ", l = ", l,
          " of a bond with nradmax = ", bond_.n_max, ", lmax = ", bond_.l_max);
  const auto size = static_cast<std::size_t>(bond_.n_max) * (bond_.l_max + 1) * bond_.k_max;
  require(bond_.coefficients.size() == size, "a bond must have nradmax · (lmax + 1) · nradbase = ", size,
          " radial coefficients, got ", bond_.coefficients.size());
  const auto* c = bond_.coefficients.data() + (static_cast<std::size_t>(n) * (bond_.l_max + 1) + l) * bond_.k_max;
  return add(std::vector<double>(c, c + bond_.k_max));
}

void RadialColumns::add_core() { has_core_ = bond_.core_prefactor != 0; }

void RadialColumns::evaluate(double r, double* values, double* derivatives, double* scratch) const {
  double *g = scratch, *dg = scratch + bond_.k_max;
  radial_basis(bond_, r, g, dg);
  for (std::size_t column = 0; column < combinations_.size(); ++column) {
    double value = 0, derivative = 0;
    for (int k = 0; k < bond_.k_max; ++k) {
      value += combinations_[column][k] * g[k];
      derivative += combinations_[column][k] * dg[k];
    }
    values[column] = value;
    derivatives[column] = derivative;
  }
  if (!has_core_) return;
  const Slope core = core_repulsion(bond_, atomic_numbers_[0], atomic_numbers_[1], r);
  values[core_column()] = core.value;
  derivatives[core_column()] = core.derivative;
}

RadialTable tabulate(const RadialColumns& columns, double spacing) {
  const double cutoff = columns.bond().r_cut;
  require(std::isfinite(spacing) && spacing > 0, "deltaSplineBins must be positive, got ", spacing);
  require(std::isfinite(cutoff) && cutoff >= spacing, "a bond's cutoff must be at least deltaSplineBins = ", spacing,
          ", got ", cutoff);
  require(cutoff / spacing < 2e6, "deltaSplineBins = ", spacing, " makes ", cutoff / spacing,
          " spline knots; use at least 1e-5");
  RadialTable table;
  table.stride = padded(columns.size());
  table.n_intervals = static_cast<int>(cutoff / spacing);
  table.scale = table.n_intervals / cutoff;
  const double step = 1 / table.scale;
  table.rows.assign(static_cast<std::size_t>(table.n_intervals + 3) * 2 * table.stride, 0.0);
  std::vector<double> scratch(2 * columns.bond().k_max);
  // Knot 0 is never used (distances below one spacing are an error), knots behind N stay zero.
  for (int q = 1; q <= table.n_intervals; ++q) {
    double* values = table.rows.data() + static_cast<std::size_t>(q) * 2 * table.stride;
    double* slopes = values + table.stride;
    columns.evaluate(step * q, values, slopes, scratch.data());
    for (int column = 0; column < columns.size(); ++column) {
      require(std::isfinite(values[column]) && std::isfinite(slopes[column]),
              "a radial function is not finite at r = ", step * q,
              " Å; check radparameters, radcoefficients and the cutoffs of the bond");
      slopes[column] *= step;
    }
  }
  return table;
}

}  // namespace polypace::ace
