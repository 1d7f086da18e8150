#include "structure/chain_statistics.hpp"

#include <algorithm>

#include "base/errors.hpp"
#include "base/threads.hpp"

namespace polypace::structure {
namespace {

// Coordinates of one whole chain, one array per direction.
struct Chain {
  std::vector<double> x, y, z;

  void place(const double* r, const Cell& cell, const std::int64_t* beads, std::size_t n) {
    for (auto* values : {&x, &y, &z}) values->assign(n, 0.0);
    for (std::size_t k = 1; k < n; ++k) {
      const double *a = r + 3 * beads[k - 1], *b = r + 3 * beads[k];
      const Vec3 bond = cell.wrap_displacement({b[0] - a[0], b[1] - a[1], b[2] - a[2]});
      x[k] = x[k - 1] + bond[0], y[k] = y[k - 1] + bond[1], z[k] = z[k - 1] + bond[2];
    }
  }

  double squared_distance(std::size_t a, std::size_t b) const {
    const double dx = x[b] - x[a], dy = y[b] - y[a], dz = z[b] - z[a];
    return dx * dx + dy * dy + dz * dz;
  }

  double squared_gyration() const {
    const auto n = static_cast<double>(x.size());
    double total = 0;
    for (const auto* values : {&x, &y, &z}) {
      double mean = 0, square = 0;
      for (const double value : *values) mean += value / n;
      for (const double value : *values) square += (value - mean) * (value - mean);
      total += square / n;
    }
    return total;
  }

  void add_internal(double* sums, std::size_t n_separations) const {
    for (std::size_t s = 1; s <= std::min(n_separations, x.size() - 1); ++s) {
      double sum = 0;
      for (std::size_t i = 0; i + s < x.size(); ++i) sum += squared_distance(i, i + s);
      sums[s - 1] += sum;
    }
  }
};

}  // namespace

void chain_statistics(View3<const double> positions, const std::vector<Cell>& cells, View1<const std::int64_t> offsets,
                      View1<const std::int64_t> beads, View2<double> end_to_end, View2<double> gyration,
                      View2<double> internal, int n_threads) {
  require(offsets.extent(0) > 1, "there must be at least one chain");
  const std::size_t n_chains = offsets.extent(0) - 1, n_atoms = positions.extent(1);
  for (std::size_t c = 0; c < n_chains; ++c)
    require(offsets(c) >= 0 && offsets(c + 1) > offsets(c) &&
                static_cast<std::size_t>(offsets(c + 1)) <= beads.extent(0),
            "chain ", c, " has no beads or leaves the list of beads");
  for (std::size_t k = 0; k < beads.extent(0); ++k)
    require(beads(k) >= 0 && static_cast<std::size_t>(beads(k)) < n_atoms, "bead ", beads(k), " is not an atom");
  // One task per frame: sums are in the order of chains, whatever the number of threads.
  parallel_for(positions.extent(0), n_threads, [&](std::size_t f, int) {
    Chain chain;
    std::fill(&internal(f, 0), &internal(f, 0) + internal.extent(1), 0.0);
    for (std::size_t c = 0; c < n_chains; ++c) {
      const auto n = static_cast<std::size_t>(offsets(c + 1) - offsets(c));
      chain.place(positions.data() + f * 3 * n_atoms, cells[f], &beads(offsets(c)), n);
      end_to_end(f, c) = chain.squared_distance(0, n - 1);
      gyration(f, c) = chain.squared_gyration();
      chain.add_internal(&internal(f, 0), internal.extent(1));
    }
  });
}

}  // namespace polypace::structure
