#include "ace/coupling.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <map>
#include <numeric>
#include <tuple>

#include "ace/clebsch_gordan.hpp"
#include "ace/ordering.hpp"
#include "base/errors.hpp"

namespace polypace::ace {
namespace {

// Sums of m-vectors that cancel to less than this are dropped by the compression.
constexpr double negligible_weight = 1e-15;
// Bounds the work one function may ask for; a rank-6 function with every l = 5 stays below.
constexpr double max_candidates = 2e5;

// ⟨l_left m_left l_right m_right | l_result m_left + m_right⟩; operands below `rank` are factors, above intermediates.
struct Coupling {
  int left, right, result;
  int l_left, l_right, l_result;
  const double* table;
};

class HalfList {
 public:
  HalfList(const BasisFunction& function, ClebschGordanTables& tables) : ls_(function.ls), rank_(function.rank()) {
    auto l_of = ls_;
    const auto tree = coupling_tree(rank_);
    l_of.insert(l_of.end(), function.lint.begin(), function.lint.end());
    l_of.push_back(0);
    for (int c = 0; c < static_cast<int>(tree.size()); ++c) {
      const auto [a, b] = tree[c];
      const int l = l_of[rank_ + c];
      couplings_.push_back({a, b, rank_ + c, l_of[a], l_of[b], l, tables.table(l_of[a], l_of[b], l).data()});
    }
    m_.assign(l_of.size(), 0);
  }

  void fill(CoupledFunction& coupled) { choose(rank_ - 1, 0, coupled); }

 private:
  // m_1 runs fastest and is fixed by the sum, so the recursion goes from the last factor down to the second.
  void choose(int factor, int sum, CoupledFunction& coupled) {
    if (factor == 0) {
      m_[0] = -sum;
      if (std::abs(sum) <= ls_[0] && is_in_half()) append(coupled);
      return;
    }
    for (m_[factor] = -ls_[factor]; m_[factor] <= ls_[factor]; ++m_[factor])
      choose(factor - 1, sum + m_[factor], coupled);
  }

  bool is_in_half() const {
    for (int t = 0; t < rank_; ++t)
      if (m_[t] != 0) return m_[t] > 0;
    return true;
  }

  void append(CoupledFunction& coupled) {
    double weight = 1;
    for (const auto& c : couplings_) {
      m_[c.result] = m_[c.left] + m_[c.right];
      if (std::abs(m_[c.result]) > c.l_result) return;
      weight *= c.table[(m_[c.left] + c.l_left) * (2 * c.l_right + 1) + m_[c.right] + c.l_right];
      if (weight == 0) return;
    }
    const bool is_own_mirror = std::all_of(m_.begin(), m_.begin() + rank_, [](int m) { return m == 0; });
    coupled.weights.push_back(is_own_mirror ? weight : 2 * weight);
    coupled.ms.insert(coupled.ms.end(), m_.begin(), m_.begin() + rank_);
  }

  std::vector<int> ls_;
  int rank_;
  std::vector<Coupling> couplings_;
  std::vector<int> m_;  // of factors, then of intermediates
};

void check_lengths(const BasisFunction& function) {
  const auto rank = function.mus.size();
  require(rank >= 1 && function.ns.size() == rank && function.ls.size() == rank,
          "a function needs as many ns and ls as neighbour species, got ", function.ns.size(), " and ", function.ls.size(),
          " for ", rank);
  require(function.lint.size() == (rank > 2 ? rank - 2 : 0), "a function of rank ", rank, " needs ",
          rank > 2 ? rank - 2 : 0, " intermediate momenta, got ", function.lint.size());
}

std::vector<CoupledFunction> couple_all(const std::vector<BasisFunction>& functions) {
  ClebschGordanTables tables;
  std::vector<CoupledFunction> coupled;
  coupled.reserve(functions.size());
  for (const auto& function : functions) coupled.push_back(couple(function, tables));
  return coupled;
}

template <class T>
std::vector<T> permuted(const std::vector<T>& values, const std::vector<int>& order) {
  std::vector<T> result;
  for (const int i : order) result.push_back(values[i]);
  return result;
}

}  // namespace

// Pairs of leaves from the left, then the two oldest intermediates, an odd last leaf at the very end.
std::vector<std::pair<int, int>> coupling_tree(int rank) {
  std::vector<std::pair<int, int>> pairs;
  std::deque<int> open;
  const auto join = [&](int a, int b) {
    open.push_back(rank + static_cast<int>(pairs.size()));
    pairs.emplace_back(a, b);
  };
  for (int leaf = 0; leaf + 1 < rank; leaf += 2) join(leaf, leaf + 1);
  while (open.size() > 1) {
    const int a = open[0], b = open[1];
    open.erase(open.begin(), open.begin() + 2);
    join(a, b);
  }
  if (rank % 2 == 1 && rank > 1) join(open[0], rank - 1);
  return pairs;
}

CoupledFunction couple(const BasisFunction& function, ClebschGordanTables& tables) {
  check_lengths(function);
  const auto rank = function.mus.size();
  CoupledFunction coupled{function.mus, function.ns, function.ls, {}, {}};
  if (rank == 1) {
    coupled.ms = {0};
    coupled.weights = {1.0};
    return coupled;
  }
  double candidates = 1;
  for (std::size_t t = 1; t < rank; ++t) candidates *= 2 * function.ls[t] + 1;
  require(candidates <= max_candidates, "a function of rank ", rank, " with l up to ",
          *std::max_element(function.ls.begin(), function.ls.end()), " has too many m-combinations; use smaller l");
  HalfList(function, tables).fill(coupled);
  return coupled;
}

std::vector<MomentumCoupling> couplings_of(const BasisFunction& function) {
  check_lengths(function);
  auto l_of = function.ls;
  l_of.insert(l_of.end(), function.lint.begin(), function.lint.end());
  l_of.push_back(0);
  std::vector<MomentumCoupling> couplings;
  for (const auto& [a, b] : coupling_tree(function.rank()))
    couplings.push_back({l_of[a], l_of[b], l_of[function.rank() + couplings.size()]});
  return couplings;
}

CoupledFunction couple(const BasisFunction& function) {
  ClebschGordanTables tables;
  return couple(function, tables);
}

CoupledFunction compress(const CoupledFunction& function) {
  const int rank = function.rank();
  std::map<std::vector<int>, double> sums;
  std::vector<int> order(rank), ms(rank);
  for (int row = 0; row < function.n_ms(); ++row) {
    const int* m = function.ms.data() + row * rank;
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return std::tie(function.mus[a], function.ns[a], function.ls[a], m[a]) <
             std::tie(function.mus[b], function.ns[b], function.ls[b], m[b]);
    });
    for (int t = 0; t < rank; ++t) ms[t] = m[order[t]];
    sums[ms] += function.weights[row];
  }
  CoupledFunction compressed{permuted(function.mus, order), permuted(function.ns, order), permuted(function.ls, order), {}, {}};
  for (const auto& [vector, weight] : sums) {
    if (std::abs(weight) < negligible_weight) continue;
    compressed.ms.insert(compressed.ms.end(), vector.begin(), vector.end());
    compressed.weights.push_back(weight);
  }
  return compressed.n_ms() < function.n_ms() ? compressed : function;
}

void sort_canonically(BPotential& potential) {
  for (auto& functions : potential.functions) sort_by(functions, couple_all(functions));
}

std::vector<CoupledFunction> coupled_functions(const BPotential& potential, int mu0) {
  auto coupled = couple_all(potential.functions.at(mu0));
  for (auto& function : coupled) function = compress(function);
  return coupled;
}

}  // namespace polypace::ace
