#include "carve/selection.hpp"

#include <algorithm>
#include <limits>

#include "carve/kept_set.hpp"

namespace polypace::carve {
namespace {

// Each rule looks at what is kept, then adds all that it wants at once: the result does not depend on an order.
class Selector {
 public:
  Selector(const System& system, const std::vector<Node>& seeds, const SelectionOptions& options)
      : system_(system), seeds_(seeds), options_(options) {}

  Selection run() {
    gather_spheres();
    add_bonded_shells();
    complete_units();
    while (options_.cut_bonds && (bridge_gaps() || promote_ends() || keep_pairs())) complete_units();
    return result();
  }

 private:
  void gather_spheres() {
    std::vector<neighbors::Pair> pairs;
    for (const auto& seed : seeds_) {
      kept_.add(seed);
      core_.add(seed);
      system_.grid.pairs_of(seed.atom, options_.buffer_radius, pairs);
      for (const auto& pair : pairs) {
        const Node node{pair.j, seed.shift + pair.shift};
        if (!system_.hydrogen[node.atom]) kept_.add(node);  // hydrogens go with their carbon
        if (dot(pair.displacement, pair.displacement) < options_.core_radius * options_.core_radius) core_.add(node);
      }
    }
  }

  void add_bonded_shells() {
    KeptSet shells = core_;
    std::size_t begin = 0;
    for (int depth = 0; depth < options_.core_bonds; ++depth) {
      const std::size_t last = shells.size();
      for (; begin < last; ++begin) {
        const Node node = shells.nodes()[begin];
        for (const auto& end : system_.graph.ends_of(node.atom)) shells.add(follow(node, end));
      }
    }
    for (const auto& node : shells.nodes()) kept_.add(node);
  }

  bool may_cut(const BondEnd& end) const { return options_.cut_bonds && system_.cuttable[end.bond]; }

  // Over bonds that must not be cut, what is kept pulls in its neighbours: hydrogens, rings, double bonds.
  void complete_units() {
    for (; completed_ < kept_.size(); ++completed_) {
      const Node node = kept_.nodes()[completed_];
      for (const auto& end : system_.graph.ends_of(node.atom))
        if (!may_cut(end)) kept_.add(follow(node, end));
    }
  }

  template <class Visit>  // visit(kept node, bond end whose atom is not kept)
  void for_each_cut(Visit visit) const {
    for (const auto& node : kept_.nodes())
      for (const auto& end : system_.graph.ends_of(node.atom))
        if (!kept_.contains(follow(node, end))) visit(node, end);
  }

  bool add_all(const std::vector<Node>& wanted, std::vector<Node>& record) {
    for (const auto& node : wanted)
      if (kept_.add(node)) record.push_back(node);
    return !wanted.empty();
  }

  // Through removed heavy atoms from path.back(), back to a kept atom?
  bool leads_back(std::vector<Node>& path, std::int32_t came_by) const {
    const Node node = path.back();
    for (const auto& end : system_.graph.ends_of(node.atom)) {
      if (end.bond == came_by || system_.hydrogen[end.atom]) continue;
      const Node next = follow(node, end);
      if (kept_.contains(next)) return true;
      if (static_cast<int>(path.size()) >= options_.bridge_length) continue;
      if (std::find(path.begin(), path.end(), next) != path.end()) continue;
      path.push_back(next);
      if (leads_back(path, end.bond)) return true;
      path.pop_back();
    }
    return false;
  }

  // Two caps on either side of one or two missing carbons would sit on top of each other.
  bool bridge_gaps() {
    std::vector<Node> wanted;
    if (options_.bridge_length == 0) return false;
    for_each_cut([&](const Node& node, const BondEnd& end) {
      std::vector<Node> path{follow(node, end)};
      if (leads_back(path, end.bond)) wanted.insert(wanted.end(), path.begin(), path.end());
    });
    return add_all(wanted, bridged_);
  }

  std::size_t n_heavy_neighbors(std::int32_t atom) const {
    const auto ends = system_.graph.ends_of(atom);
    return std::count_if(ends.begin(), ends.end(), [&](const BondEnd& end) { return !system_.hydrogen[end.atom]; });
  }

  // Where only the end group is missing, the real one costs no more than a cap.
  bool promote_ends() {
    std::vector<Node> wanted;
    for_each_cut([&](const Node& node, const BondEnd& end) {
      if (n_heavy_neighbors(end.atom) == 1) wanted.push_back(follow(node, end));
    });
    return add_all(wanted, promoted_);
  }

  double distance2_to_seeds(const Node& node) const {
    double least = std::numeric_limits<double>::infinity();
    for (const auto& seed : seeds_) {
      const Vec3 r = system_.position(node) - system_.position(seed);
      least = std::min(least, dot(r, r));
    }
    return least;
  }

  // A carbon cut from all its neighbours would become methane, which no melt of chains has types for: it keeps the
  // neighbour nearest to the seeds.
  bool keep_pairs() {
    std::vector<Node> wanted, heavy;
    for (const auto& node : kept_.nodes()) {
      if (system_.hydrogen[node.atom]) continue;
      heavy.clear();
      for (const auto& end : system_.graph.ends_of(node.atom))
        if (!system_.hydrogen[end.atom]) heavy.push_back(follow(node, end));
      if (heavy.empty()) continue;
      if (std::any_of(heavy.begin(), heavy.end(), [&](const Node& other) { return kept_.contains(other); })) continue;
      wanted.push_back(*std::min_element(heavy.begin(), heavy.end(), [&](const Node& a, const Node& b) {
        return distance2_to_seeds(a) < distance2_to_seeds(b);
      }));
    }
    std::vector<Node> unrecorded;
    return add_all(wanted, unrecorded);
  }

  Selection result() const {
    Selection selection;
    selection.nodes = kept_.nodes();
    std::sort(selection.nodes.begin(), selection.nodes.end());
    const auto place = [&](const Node& node) {
      return static_cast<std::int32_t>(
          std::lower_bound(selection.nodes.begin(), selection.nodes.end(), node) - selection.nodes.begin());
    };
    const auto places = [&](const std::vector<Node>& nodes) {
      std::vector<std::int32_t> sorted;
      for (const auto& node : nodes) sorted.push_back(place(node));
      std::sort(sorted.begin(), sorted.end());
      return sorted;
    };
    for (const auto& node : selection.nodes) selection.core.push_back(core_.contains(node));
    for (std::size_t i = 0; i < selection.nodes.size(); ++i)
      for (const auto& end : system_.graph.ends_of(selection.nodes[i].atom)) {
        const Node other = follow(selection.nodes[i], end);
        if (!kept_.contains(other))
          selection.cuts.push_back({static_cast<std::int32_t>(i), other, end.displacement});
      }
    selection.seeds = places(seeds_);
    selection.seeds.erase(std::unique(selection.seeds.begin(), selection.seeds.end()), selection.seeds.end());
    selection.bridged = places(bridged_);
    selection.promoted = places(promoted_);
    return selection;
  }

  const System& system_;
  const std::vector<Node>& seeds_;
  const SelectionOptions& options_;
  KeptSet kept_, core_;
  std::size_t completed_ = 0;
  std::vector<Node> bridged_, promoted_;
};

}  // namespace

Selection select_nodes(const System& system, const std::vector<Node>& seeds, const SelectionOptions& options) {
  return Selector(system, seeds, options).run();
}

}  // namespace polypace::carve
