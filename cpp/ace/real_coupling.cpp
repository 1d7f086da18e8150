#include "ace/real_coupling.hpp"

#include <cmath>
#include <complex>
#include <map>
#include <utility>

#include "ace/clebsch_gordan.hpp"

namespace polypace::ace {
namespace {

using Complex = std::complex<double>;

struct Entry {
  int component;
  Complex weight;
};

// a_m as a combination of the real components of its multiplet.
std::vector<Entry> expand(const Momentum& momentum, int m) {
  const double half = std::sqrt(0.5);
  if (m == 0) return {{0, momentum.parity > 0 ? Complex(1, 0) : Complex(0, 1)}};
  if (m > 0) return {{2 * m - 1, half}, {2 * m, Complex(0, half)}};
  const double sign = momentum.parity * (m % 2 ? -1 : 1);
  return {{-2 * m - 1, sign * half}, {-2 * m, Complex(0, -sign * half)}};
}

// Sparse bilinear map before the products are numbered: (output, left, right) → weight.
using Bilinear = std::map<std::pair<std::pair<int, int>, int>, double>;  // ((left, right), output)

CouplingTable tabulate(const Bilinear& map, int n_left, int n_right, int n_outputs) {
  CouplingTable table;
  table.n_left = n_left;
  table.n_right = n_right;
  table.n_outputs = n_outputs;
  std::vector<std::vector<std::pair<int, double>>> by_output(n_outputs);
  for (const auto& [key, weight] : map) {
    const auto& [operands, output] = key;
    if (std::abs(weight) < 1e-13) continue;
    if (table.left.empty() || table.left.back() != operands.first || table.right.back() != operands.second) {
      table.left.push_back(operands.first);
      table.right.push_back(operands.second);
      table.product_begin.push_back(static_cast<int>(table.product_output.size()));
    }
    table.product_output.push_back(output);
    table.product_weight.push_back(weight);
    by_output[output].emplace_back(table.n_products() - 1, weight);
  }
  table.product_begin.push_back(static_cast<int>(table.product_output.size()));
  for (const auto& entries : by_output) {
    table.output_begin.push_back(static_cast<int>(table.output_product.size()));
    for (const auto& [product, weight] : entries) {
      table.output_product.push_back(product);
      table.output_weight.push_back(weight);
    }
  }
  table.output_begin.push_back(static_cast<int>(table.output_product.size()));
  return table;
}

}  // namespace

CouplingTable CouplingTable::restricted_to(int begin, int size) const {
  Bilinear map;
  for (int p = 0; p < n_products(); ++p)
    for (int t = product_begin[p]; t < product_begin[p + 1]; ++t) {
      const int output = product_output[t] - begin;
      if (output >= 0 && output < size) map[{{left[p], right[p]}, output}] = product_weight[t];
    }
  return tabulate(map, n_left, n_right, size);
}

CouplingTable couple_real(Momentum left, Momentum right, bool same, const std::vector<int>& totals) {
  Bilinear map;
  int offset = 0;
  for (const int total : totals) {
    const Momentum result{total, left.parity * right.parity * ((left.l + right.l - total) % 2 ? -1 : 1)};
    for (int m1 = -left.l; m1 <= left.l; ++m1)
      for (int m2 = -right.l; m2 <= right.l; ++m2) {
        if (std::abs(m1 + m2) > total) continue;
        const double coefficient = clebsch_gordan(left.l, m1, right.l, m2, total, m1 + m2);
        for (const auto& a : expand(left, m1))
          for (const auto& b : expand(right, m2))
            // The transformation to real components is unitary, so its inverse is the conjugate.
            for (const auto& c : expand(result, m1 + m2)) {
              int i = a.component, j = b.component;
              if (same && i > j) std::swap(i, j);
              map[{{i, j}, offset + c.component}] += (coefficient * a.weight * b.weight * std::conj(c.weight)).real();
            }
      }
    offset += 2 * total + 1;
  }
  return tabulate(map, 2 * left.l + 1, 2 * right.l + 1, offset);
}

CouplingTable multiply_complex(int left_size, bool conjugate_left, int right_size, bool conjugate_right) {
  const double left_sign = conjugate_left ? -1 : 1, right_sign = conjugate_right ? -1 : 1;
  Bilinear map;
  map[{{0, 0}, 0}] = 1;
  if (left_size == 2 && right_size == 2) map[{{1, 1}, 0}] = -left_sign * right_sign;
  if (left_size == 2) map[{{1, 0}, 1}] = left_sign;
  if (right_size == 2) map[{{0, 1}, 1}] = right_sign;
  return tabulate(map, left_size, right_size, left_size == 2 || right_size == 2 ? 2 : 1);
}

}  // namespace polypace::ace
