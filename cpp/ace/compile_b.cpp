// Compiles B-functions: every function is the scalar product of two coupled multiplets (docs/explanation/ace.md).
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "ace/program_builder.hpp"
#include "base/errors.hpp"

namespace polypace::ace {
namespace {

// A coupled multiplet up to its sign; `sign` 0 means that it vanishes identically.
struct Coupled {
  int node = 0;
  double sign = 1;
};

struct Node {
  Momentum momentum;
  int depth = 0;
  int left = -1, right = -1;  // nodes; −1 for a leaf
  int leaf = -1;
  int slot = -1;
};

class CouplingCompiler {
 public:
  CouplingCompiler(const BPotential& potential, int mu0) : potential_(potential), mu0_(mu0), builder_(potential, mu0) {}

  Program compile() {
    std::vector<std::pair<Coupled, Coupled>> factors;
    for (const auto& function : potential_.functions[mu0_]) {
      check(function);
      factors.push_back(scalar_factors(function));
    }
    builder_.place_leaves();
    place_products();
    auto& program = builder_.program;
    for (std::size_t f = 0; f < factors.size(); ++f) {
      const auto& function = potential_.functions[mu0_][f];
      const auto& [x, z] = factors[f];
      program.terms.push_back(function.rank() == 1 ? Term{0, nodes_[x.node].slot, 1, 1} : term(x, z));
      const auto& c = function.coefficients;
      program.coefficients.insert(program.coefficients.end(), c.begin(), c.end());
    }
    program.n_functions = static_cast<int>(factors.size());
    return builder_.finish(potential_.delta_spline_bins);
  }

 private:
  void check(const BasisFunction& f) const {
    const auto rank = f.mus.size();
    require(rank >= 1 && rank <= 6, "the rank of a function must be 1 to 6, got ", rank);
    require(f.ns.size() == rank && f.ls.size() == rank && f.lint.size() == (rank > 2 ? rank - 2 : 0),
            "a function of rank ", rank, " must have as many mus, ns, ls and rank − 2 intermediate momenta");
    require(static_cast<int>(f.coefficients.size()) == builder_.program.n_densities, "a function of ",
            potential_.elements[mu0_], " must have ", builder_.program.n_densities, " coefficients, got ",
            f.coefficients.size());
    require(std::all_of(f.lint.begin(), f.lint.end(), [](int l) { return l >= 0; }),
            "intermediate momenta must not be negative");
    require(rank > 1 || f.ls[0] == 0, "a function of rank 1 must have l = 0, got ", f.ls[0]);
  }

  int add_node(std::tuple<int, int, int> key, const Node& node) {
    const auto [place, added] = known_.try_emplace(key, static_cast<int>(nodes_.size()));
    if (added) nodes_.push_back(node);
    return place->second;
  }

  Coupled leaf(const BasisFunction& f, int t) {
    const int leaf = f.rank() == 1 ? builder_.basis_leaf(f.mus[t], f.ns[t])
                                   : builder_.radial_leaf(f.mus[t], f.ns[t], f.ls[t]);
    Node node;
    node.momentum = {builder_.leaf_momentum(leaf), 1};
    node.leaf = leaf;
    return {add_node({-1, leaf, 0}, node), 1};
  }

  // Operands in ascending order: exchanging them changes a Clebsch–Gordan coefficient by (−1)^(l1+l2−L).
  Coupled couple(Coupled a, Coupled b, int total) {
    const Momentum p = nodes_[a.node].momentum, q = nodes_[b.node].momentum;
    const double exchange = (p.l + q.l - total) % 2 ? -1 : 1;
    const bool vanishes = total > p.l + q.l || total < std::abs(p.l - q.l) || (a.node == b.node && exchange < 0);
    double sign = a.sign * b.sign;
    if (vanishes || sign == 0) return {0, 0};
    if (a.node > b.node) {
      std::swap(a, b);
      sign *= exchange;
    }
    Node node;
    node.momentum = {total, p.parity * q.parity * static_cast<int>(exchange)};
    node.depth = 1 + std::max(nodes_[a.node].depth, nodes_[b.node].depth);
    node.left = a.node;
    node.right = b.node;
    return {add_node({a.node, b.node, total}, node), sign};
  }

  // The two operands of the last coupling, which is the one to L = 0.
  std::pair<Coupled, Coupled> scalar_factors(const BasisFunction& f) {
    std::vector<Coupled> a;
    for (int t = 0; t < f.rank(); ++t) a.push_back(leaf(f, t));
    const auto& lint = f.lint;
    switch (f.rank()) {
      case 1: return {a[0], a[0]};  // linear: the term takes one of them
      case 2: return {a[0], a[1]};
      case 3: return {couple(a[0], a[1], lint[0]), a[2]};
      case 4: return {couple(a[0], a[1], lint[0]), couple(a[2], a[3], lint[1])};
      case 5: return {couple(couple(a[0], a[1], lint[0]), couple(a[2], a[3], lint[1]), lint[2]), a[4]};
      default:
        return {couple(couple(a[0], a[1], lint[0]), couple(a[2], a[3], lint[1]), lint[3]),
                couple(a[4], a[5], lint[2])};
    }
  }

  // All couplings of one pair of operands form one block, because they share the products.
  void place_products() {
    std::map<std::tuple<int, int, int>, std::vector<int>> groups;  // (depth, left, right) → nodes
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      Node& node = nodes_[i];
      if (node.leaf >= 0)
        node.slot = builder_.leaf_slot(node.leaf);
      else
        groups[{node.depth, node.left, node.right}].push_back(static_cast<int>(i));
    }
    std::map<std::tuple<Momentum, Momentum, bool, std::vector<int>>, int> tables;
    for (auto& [key, members] : groups) {
      std::sort(members.begin(), members.end(),
                [&](int a, int b) { return nodes_[a].momentum.l < nodes_[b].momentum.l; });
      const Node &left = nodes_[std::get<1>(key)], &right = nodes_[std::get<2>(key)];
      PairBlock block{left.slot, right.slot, builder_.program.n_slots, 0};
      std::vector<int> totals;
      for (const int member : members) {
        totals.push_back(nodes_[member].momentum.l);
        nodes_[member].slot = builder_.allocate(2 * totals.back() + 1);
      }
      const bool same = std::get<1>(key) == std::get<2>(key);
      const auto [place, added] = tables.try_emplace({left.momentum, right.momentum, same, totals}, 0);
      if (added) place->second = builder_.add_table(couple_real(left.momentum, right.momentum, same, totals));
      block.table = place->second;
      builder_.program.blocks.push_back(block);
    }
  }

  // Σ_M ⟨L M L −M | 0 0⟩ X_M Z_−M = (−1)^L parity_Z / √(2L+1) · X·Z in real components.
  Term term(const Coupled& x, const Coupled& z) const {
    const Momentum p = nodes_[x.node].momentum, q = nodes_[z.node].momentum;
    if (x.sign * z.sign == 0 || p.l != q.l || p.parity != q.parity) return {0, 0, 0, 0};
    const double phase = (p.l % 2 ? -1 : 1) * q.parity * x.sign * z.sign;
    return {nodes_[x.node].slot, nodes_[z.node].slot, 2 * p.l + 1, phase / std::sqrt(2.0 * p.l + 1)};
  }

  const BPotential& potential_;
  int mu0_;
  ProgramBuilder builder_;
  std::vector<Node> nodes_;
  std::map<std::tuple<int, int, int>, int> known_;
};

}  // namespace

Program compile(const BPotential& potential, int mu0) { return CouplingCompiler(potential, mu0).compile(); }

}  // namespace polypace::ace
