#include "ace/clebsch_gordan.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "ace/clebsch_gordan_artefacts.hpp"
#include "base/errors.hpp"

namespace polypace::ace {
namespace {

__extension__ typedef __int128 Integer;

// Rows of Pascal's triangle; the largest entry, C(120, 60) ≈ 1e35, fits 127 bits.
std::vector<Integer> binomials(int n) {
  std::vector<Integer> row(n + 1, 1);
  for (int k = 1; k <= n; ++k) row[k] = row[k - 1] * (n - k + 1) / k;
  return row;
}

long double factorial(int n) {
  long double product = 1;
  for (int i = 2; i <= n; ++i) product *= i;
  return product;
}

// Racah's sum over k, multiplied by (l1+l2−L)! (l1−l2+L)! (−l1+l2+L)!, is a sum of integers.
Integer racah_sum(int l1, int m1, int l2, int m2, int l) {
  const auto a = binomials(l1 + l2 - l), b = binomials(l1 - l2 + l), c = binomials(-l1 + l2 + l);
  const int first = std::max({0, l2 - l - m1, l1 - l + m2});
  const int last = std::min({l1 + l2 - l, l1 - m1, l2 + m2});
  Integer sum = 0;
  for (int k = first; k <= last; ++k) {
    const Integer term = a[k] * b[l1 - m1 - k] * c[l2 + m2 - k];
    sum += k % 2 == 0 ? term : -term;
  }
  return sum;
}

void add_artefacts(std::vector<double>& table, int l1, int l2, int l) {
  for (const auto& entry : clebsch_gordan_artefacts)
    if (entry.l1 == l1 && entry.l2 == l2 && entry.l == l)
      table[(entry.m1 + l1) * (2 * l2 + 1) + entry.m2 + l2] = entry.value;
}

}  // namespace

double clebsch_gordan(int l1, int m1, int l2, int m2, int l, int m) {
  require(l1 >= 0 && l2 >= 0 && l >= 0, "angular momenta must not be negative, got ", l1, ", ", l2, ", ", l);
  require(l1 + l2 + l <= max_momentum_sum, "angular momenta ", l1, ", ", l2, ", ", l, " are too large: their sum must be at most ",
          max_momentum_sum);
  if (m1 + m2 != m || std::abs(m1) > l1 || std::abs(m2) > l2 || std::abs(m) > l) return 0;
  if (l < std::abs(l1 - l2) || l > l1 + l2) return 0;
  const Integer sum = racah_sum(l1, m1, l2, m2, l);
  if (sum == 0) return 0;
  // Ratios first, so that nothing leaves the range of a double either (long double is one on some platforms).
  long double square = 2 * l + 1;
  square *= factorial(l1 + m1) * factorial(l1 - m1) / factorial(l1 + l2 - l);
  square *= factorial(l2 + m2) * factorial(l2 - m2) / factorial(l1 - l2 + l);
  square *= factorial(l + m) / factorial(-l1 + l2 + l) * factorial(l - m) / factorial(l1 + l2 + l + 1);
  return static_cast<double>(std::sqrt(square) * static_cast<long double>(sum));
}

const std::vector<double>& ClebschGordanTables::table(int l1, int l2, int l) {
  const auto [place, is_new] = tables_.try_emplace({l1, l2, l});
  if (!is_new) return place->second;
  auto& values = place->second;
  values.reserve((2 * l1 + 1) * (2 * l2 + 1));
  for (int m1 = -l1; m1 <= l1; ++m1)
    for (int m2 = -l2; m2 <= l2; ++m2) values.push_back(clebsch_gordan(l1, m1, l2, m2, l, m1 + m2));
  add_artefacts(values, l1, l2, l);
  return values;
}

}  // namespace polypace::ace
