#include "carve/environment.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"
#include "carve/kept_set.hpp"

namespace polypace::carve {
namespace {

constexpr double tolerance = 1e-10;  // Å

class EnvironmentCheck {
 public:
  EnvironmentCheck(const System& system, const Cluster& cluster, const WeightOptions& options)
      : system_(system), cluster_(cluster), options_(options) {
    for (std::size_t i = 0; i < cluster.n_kept; ++i) kept_.add(cluster.nodes[i]);
    find_translations();
  }

  bool is_whole(std::size_t i) {
    if (is_changed(i) || !bonds_are_whole(i)) return false;
    if (!gather(i)) return false;
    system_.grid.pairs_of(cluster_.nodes[i].atom, options_.radius, melt_);
    std::size_t m = 0, c = 0;
    double difference = 0;
    while (m < melt_.size() || c < here_.size()) {
      const int order = compare(m, c);
      if (order == 0) {
        difference = std::max(difference, norm(melt_[m].displacement - here_[c].displacement));
        ++m, ++c;
      } else if (on_surface(order < 0 ? melt_[m].displacement : here_[c].displacement)) {
        ++(order < 0 ? m : c);
      } else {
        return false;
      }
    }
    largest_difference = std::max(largest_difference, difference);
    return true;
  }

  double largest_difference = 0;

 private:
  // A united atom that lost a bond has become another kind of atom; a carbon with a cap has not.
  bool is_changed(std::size_t i) const { return system_.united && cluster_.n_cuts[i] > 0; }

  // Whether a neighbour at exactly the radius is seen is a matter of rounding, and no potential feels it there.
  bool on_surface(const Vec3& r) const { return norm(r) > options_.radius * (1 - 1e-9); }

  int compare(std::size_t m, std::size_t c) const {
    if (m == melt_.size()) return 1;
    if (c == here_.size()) return -1;
    const Node a{melt_[m].j, melt_[m].shift}, b{here_[c].j, here_[c].shift};
    return a == b ? 0 : (a < b ? -1 : 1);
  }

  void find_translations() {
    translations_.push_back({});
    if (!cluster_.periodic) return;
    const Cell cell(cluster_.cell, {true, true, true});
    double diameter = 0;
    for (const auto& r : cluster_.positions) diameter = std::max(diameter, 2 * norm(r - cluster_.positions[0]));
    const double reach = options_.radius + diameter;
    std::array<int, 3> n{};
    for (int d = 0; d < 3; ++d) n[d] = static_cast<int>(std::ceil(reach / cell.height(d)));
    for (int i = -n[0]; i <= n[0]; ++i)
      for (int j = -n[1]; j <= n[1]; ++j)
        for (int k = -n[2]; k <= n[2]; ++k) {
          const Vec3 t = cell.cartesian({double(i), double(j), double(k)});
          if ((i != 0 || j != 0 || k != 0) && norm(t) < reach) translations_.push_back(t);
        }
  }

  // Neighbours of i in the cluster, as atoms of the melt; false when there is one that the melt did not have there.
  bool gather(std::size_t i) {
    here_.clear();
    const double radius2 = options_.radius * options_.radius;
    for (std::size_t t = 0; t < translations_.size(); ++t)
      for (std::size_t j = 0; j < cluster_.n_atoms(); ++j) {
        const Vec3 r = cluster_.positions[j] + translations_[t] - cluster_.positions[i];
        if (dot(r, r) >= radius2 || (t == 0 && j == i)) continue;
        if (t > 0 || j >= cluster_.n_kept || is_changed(j)) {
          if (on_surface(r)) continue;
          return false;
        }
        here_.push_back({cluster_.nodes[j].atom, cluster_.nodes[j].shift - cluster_.nodes[i].shift, r});
      }
    std::sort(here_.begin(), here_.end(), [](const neighbors::Pair& a, const neighbors::Pair& b) {
      return Node{a.j, a.shift} < Node{b.j, b.shift};
    });
    return true;
  }

  bool bonds_are_whole(std::size_t i) const {
    KeptSet seen;
    seen.add(cluster_.nodes[i]);
    std::size_t begin = 0;
    for (int depth = 0; depth < options_.whole_bonds; ++depth) {
      const std::size_t last = seen.size();
      for (; begin < last; ++begin) {
        const Node node = seen.nodes()[begin];
        for (const auto& end : system_.graph.ends_of(node.atom)) {
          const auto place = kept_.find(follow(node, end));
          if (place < 0 || is_changed(static_cast<std::size_t>(place))) return false;
          seen.add(follow(node, end));
        }
      }
    }
    return true;
  }

  const System& system_;
  const Cluster& cluster_;
  const WeightOptions& options_;
  KeptSet kept_;
  std::vector<Vec3> translations_;
  std::vector<neighbors::Pair> melt_, here_;
};

}  // namespace

void weigh_atoms(const System& system, Cluster& cluster, const WeightOptions& options) {
  EnvironmentCheck check(system, cluster, options);
  cluster.weighted.assign(cluster.n_atoms(), 0);
  for (std::size_t i = 0; i < cluster.n_kept; ++i)
    if (cluster.core[i] || !options.only_core) cluster.weighted[i] = check.is_whole(i);
  cluster.environment_error = check.largest_difference;
  require_numerics(check.largest_difference <= tolerance, "the neighbours of an atom of the cluster around atom ",
                   cluster.nodes[cluster.seeds.front()].atom, " moved by ", check.largest_difference,
                   " Å in carving, more than ", tolerance);
}

}  // namespace polypace::carve
