// The canonical order of functions: that of projections, coefficients and .asi rows.
#pragma once

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "ace/potential.hpp"

namespace polypace::ace {

// Compared in this order: rank, mus, ns, ls, number of m-vectors, m-vectors. `Function` is a CoupledFunction or a
// CTildeFunction.
template <class Function>
bool comes_before(const Function& a, const Function& b) {
  if (a.mus.size() != b.mus.size()) return a.mus.size() < b.mus.size();
  const auto factors_a = std::tie(a.mus, a.ns, a.ls), factors_b = std::tie(b.mus, b.ns, b.ls);
  if (factors_a != factors_b) return factors_a < factors_b;
  if (a.ms.size() != b.ms.size()) return a.ms.size() < b.ms.size();
  return a.ms < b.ms;
}

// Puts `values[i]`, whose key is `keys[i]`, into canonical order; equal keys stay as they came.
template <class Value, class Function>
void sort_by(std::vector<Value>& values, const std::vector<Function>& keys) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return comes_before(keys[i], keys[j]); });
  std::vector<Value> sorted;
  sorted.reserve(values.size());
  for (const auto i : order) sorted.push_back(std::move(values[i]));
  values = std::move(sorted);
}

}  // namespace polypace::ace
