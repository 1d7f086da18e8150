#include "neighbors/neighbor_list.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"
#include "base/threads.hpp"

namespace polypace::neighbors {
namespace {

// Bins along the cell vectors. A bin is at least a cutoff/2 high where the cell is large, so that few bins hold few
// empty corners; a cell smaller than the cutoff is one bin whose images are visited as often as the cutoff reaches.
struct Grid {
  std::array<int, 3> n_bins{};
  std::array<int, 3> reach{};  // bins to visit on each side so that everything within the cutoff is seen
  std::vector<std::int64_t> bin_offsets;
  std::vector<std::int32_t> atoms;                       // sorted by bin
  std::vector<std::array<std::int32_t, 3>> home_shifts;  // per atom: position = wrapped + home_shift·h
  std::vector<Vec3> wrapped;                             // per atom
  std::vector<std::array<std::int32_t, 3>> bins;         // per atom
};

// Along a direction without images atoms may lie anywhere, so the bins span their extent.
struct Range {
  double low = 0, length = 1;
};

std::array<Range, 3> fractional_ranges(const std::vector<Vec3>& fractional, const Cell& cell) {
  std::array<Range, 3> ranges;
  for (int d = 0; d < 3; ++d) {
    if (cell.pbc()[d] || fractional.empty()) continue;
    double low = fractional[0][d], high = low;
    for (const auto& s : fractional) {
      low = std::min(low, s[d]);
      high = std::max(high, s[d]);
    }
    ranges[d] = {low, std::max((high - low) * (1 + 1e-12), 1e-12)};
  }
  return ranges;
}

Grid make_grid(View2<const double> positions, const Cell& cell, double cutoff) {
  const std::size_t n_atoms = positions.extent(0);
  std::vector<Vec3> fractional(n_atoms);
  Grid grid;
  grid.home_shifts.resize(n_atoms);
  grid.wrapped.resize(n_atoms);
  grid.bins.resize(n_atoms);
  for (std::size_t i = 0; i < n_atoms; ++i) {
    const Vec3 r{positions(i, 0), positions(i, 1), positions(i, 2)};
    require(std::isfinite(r[0]) && std::isfinite(r[1]) && std::isfinite(r[2]), "positions of atom ", i,
            " must be finite");
    Vec3 s = cell.fractional(r);
    grid.wrapped[i] = r;
    for (int d = 0; d < 3; ++d) {
      if (!cell.pbc()[d]) continue;
      const double shift = std::floor(s[d]);
      require(std::abs(shift) < 1e9, "atom ", i, " lies ", shift, " cells away from the origin; wrap the positions");
      grid.home_shifts[i][d] = static_cast<std::int32_t>(shift);
      s[d] -= shift;
      for (int e = 0; e < 3; ++e) grid.wrapped[i][e] -= shift * cell.rows()[d][e];
    }
    fractional[i] = s;
  }
  const auto ranges = fractional_ranges(fractional, cell);
  // No more bins than about two per atom, whatever the ratio of cell to cutoff.
  const int most = std::max(1, static_cast<int>(std::cbrt(2.0 * static_cast<double>(n_atoms)) + 1));
  for (int d = 0; d < 3; ++d) {
    const double height = cell.height(d) * ranges[d].length;
    grid.n_bins[d] = std::clamp(static_cast<int>(std::min(height / (0.5 * cutoff), 1e6)), 1, most);
    grid.reach[d] = static_cast<int>(std::min(std::ceil(cutoff / (height / grid.n_bins[d])), 1e6));
    if (!cell.pbc()[d]) grid.reach[d] = std::min(grid.reach[d], grid.n_bins[d] - 1);
  }
  const auto n_total = static_cast<std::size_t>(grid.n_bins[0]) * grid.n_bins[1] * grid.n_bins[2];
  std::vector<std::size_t> home(n_atoms);
  grid.bin_offsets.assign(n_total + 1, 0);
  for (std::size_t i = 0; i < n_atoms; ++i) {
    for (int d = 0; d < 3; ++d) {
      const double scaled = (fractional[i][d] - ranges[d].low) / ranges[d].length * grid.n_bins[d];
      grid.bins[i][d] = std::clamp(static_cast<int>(scaled), 0, grid.n_bins[d] - 1);
    }
    home[i] = (static_cast<std::size_t>(grid.bins[i][0]) * grid.n_bins[1] + grid.bins[i][1]) * grid.n_bins[2] +
              grid.bins[i][2];
    ++grid.bin_offsets[home[i] + 1];
  }
  for (std::size_t b = 0; b < n_total; ++b) grid.bin_offsets[b + 1] += grid.bin_offsets[b];
  auto cursor = grid.bin_offsets;
  grid.atoms.resize(n_atoms);
  for (std::size_t i = 0; i < n_atoms; ++i) grid.atoms[cursor[home[i]]++] = static_cast<std::int32_t>(i);
  return grid;
}

struct Pair {
  std::int32_t j;
  std::array<std::int32_t, 3> shift;
  Vec3 displacement;
};

int floor_division(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

void pairs_of(std::size_t i, const Grid& grid, const Cell& cell, double cutoff, std::vector<Pair>& pairs) {
  pairs.clear();
  const double cutoff2 = cutoff * cutoff;
  std::array<int, 3> b{};
  std::array<int, 3> image{};
  std::array<int, 3> bin{};
  const auto place = [&](int d) {
    image[d] = floor_division(grid.bins[i][d] + b[d], grid.n_bins[d]);
    bin[d] = grid.bins[i][d] + b[d] - image[d] * grid.n_bins[d];
    return image[d] == 0 || cell.pbc()[d];
  };
  for (b[0] = -grid.reach[0]; b[0] <= grid.reach[0]; ++b[0]) {
    if (!place(0)) continue;
    for (b[1] = -grid.reach[1]; b[1] <= grid.reach[1]; ++b[1]) {
      if (!place(1)) continue;
      for (b[2] = -grid.reach[2]; b[2] <= grid.reach[2]; ++b[2]) {
        if (!place(2)) continue;
        const auto home = (static_cast<std::size_t>(bin[0]) * grid.n_bins[1] + bin[1]) * grid.n_bins[2] + bin[2];
        Vec3 origin{};
        for (int e = 0; e < 3; ++e)
          origin[e] = image[0] * cell.rows()[0][e] + image[1] * cell.rows()[1][e] + image[2] * cell.rows()[2][e] -
                      grid.wrapped[i][e];
        for (auto k = grid.bin_offsets[home]; k < grid.bin_offsets[home + 1]; ++k) {
          const auto j = grid.atoms[k];
          const Vec3 r{grid.wrapped[j][0] + origin[0], grid.wrapped[j][1] + origin[1], grid.wrapped[j][2] + origin[2]};
          if (dot(r, r) >= cutoff2) continue;
          if (static_cast<std::size_t>(j) == i && image[0] == 0 && image[1] == 0 && image[2] == 0) continue;
          Pair pair{j, {}, r};
          // r_j − r_i + S·h with the positions as given: S counts the images of the given, not the wrapped, atoms.
          for (int d = 0; d < 3; ++d) pair.shift[d] = image[d] - grid.home_shifts[j][d] + grid.home_shifts[i][d];
          pairs.push_back(pair);
        }
      }
    }
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& c) { return a.j != c.j ? a.j < c.j : a.shift < c.shift; });
}

}  // namespace

NeighborList build_neighbor_list(View2<const double> positions, const Cell& cell, double cutoff, int n_threads) {
  require(positions.extent(1) == 3, "positions must have 3 columns, got ", positions.extent(1));
  require(std::isfinite(cutoff) && cutoff > 0, "cutoff must be positive and finite, got ", cutoff);
  const std::size_t n_atoms = positions.extent(0);
  NeighborList list;
  list.offsets.assign(n_atoms + 1, 0);
  if (n_atoms == 0) return list;
  const Grid grid = make_grid(positions, cell, cutoff);

  // Blocks of atoms are independent; their pieces are joined in order, so threads do not change the result.
  constexpr std::size_t block_size = 256;
  const std::size_t n_blocks = (n_atoms + block_size - 1) / block_size;
  std::vector<std::vector<Pair>> blocks(n_blocks);
  parallel_for(n_blocks, n_threads, [&](std::size_t block, int) {
    std::vector<Pair> pairs;
    for (std::size_t i = block * block_size; i < std::min(n_atoms, (block + 1) * block_size); ++i) {
      pairs_of(i, grid, cell, cutoff, pairs);
      blocks[block].insert(blocks[block].end(), pairs.begin(), pairs.end());
      list.offsets[i + 1] = static_cast<std::int64_t>(pairs.size());
    }
  });
  for (std::size_t i = 0; i < n_atoms; ++i) list.offsets[i + 1] += list.offsets[i];
  const auto n_pairs = static_cast<std::size_t>(list.offsets[n_atoms]);
  list.neighbors.reserve(n_pairs);
  list.shifts.reserve(n_pairs);
  list.displacements.reserve(n_pairs);
  for (auto& block : blocks) {
    for (const auto& pair : block) {
      list.neighbors.push_back(pair.j);
      list.shifts.push_back(pair.shift);
      list.displacements.push_back(pair.displacement);
    }
    std::vector<Pair>().swap(block);
  }
  return list;
}

}  // namespace polypace::neighbors
