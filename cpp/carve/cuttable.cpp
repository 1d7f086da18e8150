#include "carve/cuttable.hpp"

#include <algorithm>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "carve/kept_set.hpp"

namespace polypace::carve {
namespace {

constexpr std::int64_t carbon = 6;

// A bridge is a bond whose removal parts the graph: it lies on no cycle (Tarjan 1974, low-link numbers).
// Depth first without recursion, because a chain is as deep as it is long.
class Bridges {
 public:
  explicit Bridges(const BondGraph& graph)
      : graph_(graph), entered_(graph.n_atoms(), 0), low_(graph.n_atoms(), 0), is_bridge_(graph.n_bonds(), 0) {
    for (std::size_t atom = 0; atom < graph.n_atoms(); ++atom)
      if (entered_[atom] == 0) search(static_cast<std::int32_t>(atom));
  }
  const std::vector<std::uint8_t>& flags() const { return is_bridge_; }

 private:
  struct Visit {
    std::int32_t atom, bond;  // the bond through which the atom was entered
    const BondEnd* next;
  };

  void enter(std::int32_t atom, std::int32_t bond) {
    entered_[atom] = low_[atom] = ++clock_;
    stack_.push_back({atom, bond, graph_.begin(atom)});
  }

  void search(std::int32_t root) {
    enter(root, -1);
    while (!stack_.empty()) {
      auto& visit = stack_.back();
      if (visit.next != graph_.end(visit.atom)) {
        const BondEnd& end = *visit.next++;
        if (end.bond == visit.bond) continue;
        if (entered_[end.atom] == 0)
          enter(end.atom, end.bond);
        else
          low_[visit.atom] = std::min(low_[visit.atom], entered_[end.atom]);
        continue;
      }
      const Visit done = visit;
      stack_.pop_back();
      if (stack_.empty()) continue;
      const auto parent = stack_.back().atom;
      low_[parent] = std::min(low_[parent], low_[done.atom]);
      if (low_[done.atom] > entered_[parent]) is_bridge_[done.bond] = 1;
    }
  }

  const BondGraph& graph_;
  std::int64_t clock_ = 0;
  std::vector<std::int64_t> entered_, low_;
  std::vector<std::uint8_t> is_bridge_;
  std::vector<Visit> stack_;
};

// Breadth first through the infinite system, from one end of the bond to its other end, around the bond itself.
bool in_small_ring(const BondGraph& graph, std::int32_t atom, const BondEnd& bond, int max_ring_size) {
  const Node start{atom, {}}, goal = follow(start, bond);
  KeptSet seen;
  seen.add(start);
  std::size_t begin = 0;
  for (int depth = 1; depth < max_ring_size; ++depth) {
    const std::size_t last = seen.size();
    for (std::size_t i = begin; i < last; ++i) {
      const Node node = seen.nodes()[i];
      for (const auto& end : graph.ends_of(node.atom)) {
        const Node next = follow(node, end);
        if (end.bond == bond.bond && node == start && next == goal) continue;
        if (next == goal) return true;
        seen.add(next);
      }
    }
    if (seen.size() == last) return false;
    begin = last;
  }
  return false;
}

bool is_single(const BondGraph& graph, View1<const double> orders, bool explicit_hydrogens, std::int32_t a,
               const BondEnd& end) {
  if (!orders.empty()) return orders(static_cast<std::size_t>(end.bond)) == 1.0;
  return !explicit_hydrogens || graph.degree(a) >= 4 || graph.degree(end.atom) >= 4;
}

}  // namespace

std::vector<std::uint8_t> find_cuttable_bonds(const BondGraph& graph, View1<const std::int64_t> numbers,
                                              View1<const double> orders, bool explicit_hydrogens, int max_ring_size,
                                              int n_threads) {
  require(max_ring_size >= 3, "max_ring_size must be at least 3, got ", max_ring_size);
  require(orders.empty() || orders.extent(0) == graph.n_bonds(), "bond_orders must hold one number for each of the ",
          graph.n_bonds(), " bonds, got ", orders.extent(0));
  const Bridges bridges(graph);
  std::vector<std::uint8_t> cuttable(graph.n_bonds(), 0);
  struct Candidate {
    std::int32_t atom;
    BondEnd end;
  };
  std::vector<Candidate> on_cycles;
  for (std::size_t i = 0; i < graph.n_atoms(); ++i) {
    const auto atom = static_cast<std::int32_t>(i);
    if (numbers(i) != carbon) continue;
    for (const auto& end : graph.ends_of(atom)) {
      if (end.atom < atom || numbers(static_cast<std::size_t>(end.atom)) != carbon) continue;
      if (!is_single(graph, orders, explicit_hydrogens, atom, end)) continue;
      if (bridges.flags()[end.bond])
        cuttable[end.bond] = 1;
      else
        on_cycles.push_back({atom, end});
    }
  }
  parallel_for(on_cycles.size(), n_threads, [&](std::size_t i, int) {
    const auto& [atom, end] = on_cycles[i];
    cuttable[end.bond] = in_small_ring(graph, atom, end, max_ring_size) ? 0 : 1;
  });
  return cuttable;
}

}  // namespace polypace::carve
