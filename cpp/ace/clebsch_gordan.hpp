// Clebsch–Gordan coefficients ⟨l1 m1 l2 m2 | L M⟩, Condon–Shortley phase, integer momenta.
#pragma once

#include <map>
#include <tuple>
#include <vector>

namespace polypace::ace {

// Exact integer arithmetic holds up to this sum l1 + l2 + L.
inline constexpr int max_momentum_sum = 120;

// A coefficient that is zero by symmetry or by accident is exactly 0.0 here.
// Source: Racah's formula, Varshalovich, Moskalev, Khersonskii, Quantum Theory of Angular Momentum, eq. 8.2.1 (3).
double clebsch_gordan(int l1, int m1, int l2, int m2, int l, int m);

// The same coefficients as pacemaker has them: some exact zeros are tiny non-zero numbers there (the rounding of its
// three-term recursion), and the canonical order of functions depends on which ones.
class ClebschGordanTables {
 public:
  // Row-major (2 l1 + 1) × (2 l2 + 1) for m1 = −l1…l1, m2 = −l2…l2, M = m1 + m2; 0 where |M| > l.
  const std::vector<double>& table(int l1, int l2, int l);

 private:
  std::map<std::tuple<int, int, int>, std::vector<double>> tables_;
};

}  // namespace polypace::ace
