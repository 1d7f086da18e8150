#include "ace/basis_generator.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <utility>

#include "ace/clebsch_gordan.hpp"
#include "ace/coupling.hpp"
#include "base/errors.hpp"

namespace polypace::ace {
namespace {

constexpr int largest_l_of_rank[] = {0, 0, 10, 6, 4, 3, 2};
constexpr int largest_rank = 6;
constexpr int most_labels_of_rank_6 = 2;
constexpr std::size_t most_functions = 2000000;
// Parts of unit vectors below this are rounding; the smallest true one is of order 0.01.
constexpr double independence_threshold = 1e-6;

struct Momenta {
  std::vector<int> ls, lint;
};

using Labels = std::vector<int>;  // equal factors (species, n) have equal labels 0, 1, 2, … in sorted order

// Equal up to the order of equal factors and up to m → −m: what the symmetrised function depends on.
std::vector<int> canonical_ms(const Labels& labels, const std::vector<int>& ls, const int* m) {
  const auto sorted = [&](int sign) {
    std::vector<std::array<int, 3>> factors;
    for (std::size_t t = 0; t < labels.size(); ++t) factors.push_back({labels[t], ls[t], sign * m[t]});
    std::sort(factors.begin(), factors.end());
    std::vector<int> ms;
    for (const auto& factor : factors) ms.push_back(factor[2]);
    return ms;
  };
  return std::max(sorted(1), sorted(-1));
}

// Vectors known by their non-zero components; grows by those that are independent of the others.
class IndependentSet {
 public:
  // Gram–Schmidt: true and kept when something of `vector` remains.
  bool add(std::map<std::vector<int>, double> vector) {
    if (!normalize(vector)) return false;
    for (int pass = 0; pass < 2; ++pass)  // twice is enough (Kahan)
      for (const auto& kept : vectors_) {
        const double overlap = dot(kept, vector);
        for (const auto& [key, value] : kept) vector[key] -= overlap * value;
      }
    if (!normalize(vector)) return false;
    vectors_.push_back(std::move(vector));
    return true;
  }

 private:
  using Vector = std::map<std::vector<int>, double>;

  static double dot(const Vector& a, const Vector& b) {
    double sum = 0;
    for (const auto& [key, value] : a)
      if (const auto place = b.find(key); place != b.end()) sum += value * place->second;
    return sum;
  }
  static bool normalize(Vector& vector) {
    const double norm = std::sqrt(dot(vector, vector));
    if (norm < independence_threshold) return false;
    for (auto& entry : vector) entry.second /= norm;
    return true;
  }

  std::vector<Vector> vectors_;
};

// (ls, lint) of the independent functions of one pattern of labels, in lexicographic order.
class MomentaTable {
 public:
  const std::vector<Momenta>& of(const Labels& labels, int l_max) {
    const auto [place, is_new] = tables_.try_emplace({labels, l_max});
    if (is_new) {
      std::vector<int> ls;
      choose_ls(labels, l_max, ls, place->second);
    }
    return place->second;
  }

 private:
  void choose_ls(const Labels& labels, int l_max, std::vector<int>& ls, std::vector<Momenta>& table) {
    const auto t = ls.size();
    if (t == labels.size()) {
      if (std::accumulate(ls.begin(), ls.end(), 0) % 2 == 0) add_independent(labels, ls, table);
      return;
    }
    const bool repeats = t > 0 && labels[t] == labels[t - 1];
    for (int l = repeats ? ls[t - 1] : 0; l <= l_max; ++l) {
      ls.push_back(l);
      choose_ls(labels, l_max, ls, table);
      ls.pop_back();
    }
  }

  void add_independent(const Labels& labels, const std::vector<int>& ls, std::vector<Momenta>& table) {
    const auto tree = coupling_tree(static_cast<int>(ls.size()));
    std::vector<std::vector<int>> choices;
    auto momenta = ls;
    choose_lint(tree, ls.size(), momenta, choices);
    IndependentSet kept;
    for (const auto& lint : choices)
      if (kept.add(symmetrized(labels, ls, lint))) table.push_back({ls, lint});
  }

  // `momenta`: of the factors, then of the intermediates chosen so far.
  static void choose_lint(const std::vector<std::pair<int, int>>& tree, std::size_t rank, std::vector<int>& momenta,
                          std::vector<std::vector<int>>& choices) {
    const auto coupling = momenta.size() - rank;
    if (tree.empty()) {
      choices.emplace_back();
      return;
    }
    const int left = momenta[tree[coupling].first], right = momenta[tree[coupling].second];
    if (coupling + 1 == tree.size()) {
      if (left == right) choices.emplace_back(momenta.begin() + static_cast<std::ptrdiff_t>(rank), momenta.end());
      return;
    }
    for (int l = std::abs(left - right); l <= left + right; ++l) {
      momenta.push_back(l);
      choose_lint(tree, rank, momenta, choices);
      momenta.pop_back();
    }
  }

  std::map<std::vector<int>, double> symmetrized(const Labels& labels, const std::vector<int>& ls, const std::vector<int>& lint) {
    const auto coupled = couple({labels, std::vector<int>(ls.size(), 0), ls, lint, {}}, tables_of_coefficients_);
    std::map<std::vector<int>, double> sums;
    for (int row = 0; row < coupled.n_ms(); ++row)
      sums[canonical_ms(labels, ls, coupled.ms.data() + row * coupled.rank())] += coupled.weights[row];
    return sums;
  }

  ClebschGordanTables tables_of_coefficients_;
  std::map<std::pair<Labels, int>, std::vector<Momenta>> tables_;
};

Labels labels_of(const std::vector<int>& mus, const std::vector<int>& ns) {
  Labels labels{0};
  for (std::size_t t = 1; t < mus.size(); ++t)
    labels.push_back(labels.back() + (mus[t] != mus[t - 1] || ns[t] != ns[t - 1]));
  return labels;
}

void check_recipe(const BlockRecipe& block) {
  require(block.n_max.size() == block.l_max.size(), "nradmax_by_orders has ", block.n_max.size(), " entries, lmax_by_orders ",
          block.l_max.size(), "; give one per order in both");
  require(block.n_max.size() <= largest_rank, "functions of order ", block.n_max.size(), " are not supported; the highest order is ",
          largest_rank);
  require(!block.n_kept || *block.n_kept >= 0, "the number of functions must not be negative, got ", block.n_kept.value_or(0));
  for (std::size_t i = 0; i < block.n_max.size(); ++i) {
    const int rank = static_cast<int>(i) + 1, limit = largest_l_of_rank[rank];
    require(block.n_max[i] >= 0 && block.l_max[i] >= 0, "nradmax_by_orders and lmax_by_orders must not be negative, got ",
            block.n_max[i], " and ", block.l_max[i]);
    require(block.l_max[i] <= limit, "lmax = ", block.l_max[i], " of order ", rank, " is beyond the limit ", limit,
            " of pacemaker's tables; lower lmax_by_orders");
  }
}

void keep_simplest(std::vector<BasisFunction>& functions, int n_kept) {
  const auto power = [](const BasisFunction& function) {
    const int ns = std::accumulate(function.ns.begin(), function.ns.end(), function.rank());
    return std::accumulate(function.ls.begin(), function.ls.end(), function.rank() + ns);
  };
  std::stable_sort(functions.begin(), functions.end(), [&](const auto& a, const auto& b) { return power(a) < power(b); });
  functions.resize(std::min(functions.size(), static_cast<std::size_t>(n_kept)));
}

class BlockGenerator {
 public:
  BlockGenerator(const BlockRecipe& block, MomentaTable& table) : block_(block), table_(table), species_(block.others) {
    species_.push_back(block.centre);
    std::sort(species_.begin(), species_.end());
  }

  std::vector<BasisFunction> generate() {
    for (std::size_t rank = 1; rank <= block_.n_max.size(); ++rank) {
      rank_ = rank;
      choose_species();
    }
    if (block_.n_kept) keep_simplest(functions_, *block_.n_kept);
    return std::move(functions_);
  }

 private:
  void choose_species() {
    if (mus_.size() == rank_) {
      const auto is_present = [this](int mu) { return std::find(mus_.begin(), mus_.end(), mu) != mus_.end(); };
      if (std::all_of(block_.others.begin(), block_.others.end(), is_present)) choose_ns();
      return;
    }
    for (const int mu : species_) {
      if (!mus_.empty() && mu < mus_.back()) continue;
      mus_.push_back(mu);
      choose_species();
      mus_.pop_back();
    }
  }

  void choose_ns() {
    const auto t = ns_.size();
    if (t == rank_) return append();
    const bool repeats = t > 0 && mus_[t] == mus_[t - 1];
    for (int n = repeats ? ns_[t - 1] : 0; n < block_.n_max[rank_ - 1]; ++n) {
      ns_.push_back(n);
      choose_ns();
      ns_.pop_back();
    }
  }

  void append() {
    const auto labels = labels_of(mus_, ns_);
    require(rank_ < largest_rank || labels.back() < most_labels_of_rank_6,
            "functions of order 6 with more than two different (element, n) are beyond pacemaker's tables; lower nradmax_by_orders");
    for (const auto& momenta : table_.of(labels, block_.l_max[rank_ - 1]))
      functions_.push_back({mus_, ns_, momenta.ls, momenta.lint, {}});
    require(functions_.size() <= most_functions, "the basis has more than ", most_functions, " functions; lower nradmax_by_orders");
  }

  const BlockRecipe& block_;
  MomentaTable& table_;
  std::vector<int> species_, mus_, ns_;
  std::size_t rank_ = 0;
  std::vector<BasisFunction> functions_;
};

}  // namespace

std::vector<std::vector<BasisFunction>> generate_functions(const std::vector<BlockRecipe>& blocks) {
  MomentaTable table;
  std::vector<std::vector<BasisFunction>> functions;
  for (const auto& block : blocks) {
    check_recipe(block);
    functions.push_back(BlockGenerator(block, table).generate());
  }
  return functions;
}

}  // namespace polypace::ace
