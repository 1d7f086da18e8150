#include "neighbors/cell_grid.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"

namespace polypace::neighbors {
namespace {

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

int floor_division(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

}  // namespace

CellGrid::CellGrid(View2<const double> positions, const Cell& cell, double cutoff) : cell_(cell) {
  require(positions.extent(1) == 3, "positions must have 3 columns, got ", positions.extent(1));
  require(std::isfinite(cutoff) && cutoff > 0, "cutoff must be positive and finite, got ", cutoff);
  fill_bins(wrap(positions), cutoff);
}

std::vector<Vec3> CellGrid::wrap(View2<const double> positions) {
  const std::size_t n_atoms = positions.extent(0);
  std::vector<Vec3> fractional(n_atoms);
  home_shifts_.resize(n_atoms);
  wrapped_.resize(n_atoms);
  for (std::size_t i = 0; i < n_atoms; ++i) {
    const Vec3 r{positions(i, 0), positions(i, 1), positions(i, 2)};
    require(std::isfinite(r[0]) && std::isfinite(r[1]) && std::isfinite(r[2]), "positions of atom ", i,
            " must be finite");
    Vec3 s = cell_.fractional(r);
    wrapped_[i] = r;
    for (int d = 0; d < 3; ++d) {
      if (!cell_.pbc()[d]) continue;
      const double shift = std::floor(s[d]);
      require(std::abs(shift) < 1e9, "atom ", i, " lies ", shift, " cells away from the origin; wrap the positions");
      home_shifts_[i][d] = static_cast<std::int32_t>(shift);
      s[d] -= shift;
      for (int e = 0; e < 3; ++e) wrapped_[i][e] -= shift * cell_.rows()[d][e];
    }
    fractional[i] = s;
  }
  return fractional;
}

// A bin is at least a cutoff/2 high where the cell is large, so that few bins hold few empty corners; a cell smaller
// than the cutoff is one bin whose images are visited as often as the cutoff reaches.
void CellGrid::fill_bins(const std::vector<Vec3>& fractional, double cutoff) {
  const std::size_t n_atoms = fractional.size();
  const auto ranges = fractional_ranges(fractional, cell_);
  // No more bins than about two per atom, whatever the ratio of cell to cutoff.
  const int most = std::max(1, static_cast<int>(std::cbrt(2.0 * static_cast<double>(n_atoms)) + 1));
  for (int d = 0; d < 3; ++d) {
    const double height = cell_.height(d) * ranges[d].length;
    n_bins_[d] = std::clamp(static_cast<int>(std::min(height / (0.5 * cutoff), 1e6)), 1, most);
    bin_heights_[d] = height / n_bins_[d];
  }
  const auto n_total = static_cast<std::size_t>(n_bins_[0]) * n_bins_[1] * n_bins_[2];
  std::vector<std::size_t> home(n_atoms);
  bin_offsets_.assign(n_total + 1, 0);
  bins_.resize(n_atoms);
  for (std::size_t i = 0; i < n_atoms; ++i) {
    for (int d = 0; d < 3; ++d) {
      const double scaled = (fractional[i][d] - ranges[d].low) / ranges[d].length * n_bins_[d];
      bins_[i][d] = std::clamp(static_cast<int>(scaled), 0, n_bins_[d] - 1);
    }
    home[i] = (static_cast<std::size_t>(bins_[i][0]) * n_bins_[1] + bins_[i][1]) * n_bins_[2] + bins_[i][2];
    ++bin_offsets_[home[i] + 1];
  }
  for (std::size_t b = 0; b < n_total; ++b) bin_offsets_[b + 1] += bin_offsets_[b];
  auto cursor = bin_offsets_;
  atoms_.resize(n_atoms);
  for (std::size_t i = 0; i < n_atoms; ++i) atoms_[cursor[home[i]]++] = static_cast<std::int32_t>(i);
}

// Bins to visit on each side so that everything within the radius is seen.
std::array<int, 3> CellGrid::reach(double radius) const {
  std::array<int, 3> bins{};
  for (int d = 0; d < 3; ++d) {
    bins[d] = static_cast<int>(std::min(std::ceil(radius / bin_heights_[d]), 1e6));
    if (!cell_.pbc()[d]) bins[d] = std::min(bins[d], n_bins_[d] - 1);
  }
  return bins;
}

void CellGrid::pairs_of(std::size_t i, double radius, std::vector<Pair>& pairs) const {
  pairs.clear();
  const auto side = reach(radius);
  std::array<int, 3> b{};
  std::array<int, 3> image{};
  std::array<int, 3> bin{};
  const auto place = [&](int d) {
    image[d] = floor_division(bins_[i][d] + b[d], n_bins_[d]);
    bin[d] = bins_[i][d] + b[d] - image[d] * n_bins_[d];
    return image[d] == 0 || cell_.pbc()[d];
  };
  for (b[0] = -side[0]; b[0] <= side[0]; ++b[0]) {
    if (!place(0)) continue;
    for (b[1] = -side[1]; b[1] <= side[1]; ++b[1]) {
      if (!place(1)) continue;
      for (b[2] = -side[2]; b[2] <= side[2]; ++b[2])
        if (place(2)) pairs_in_bin(i, radius, bin, image, pairs);
    }
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& c) { return a.j != c.j ? a.j < c.j : a.shift < c.shift; });
}

void CellGrid::pairs_in_bin(std::size_t i, double radius, const std::array<int, 3>& bin,
                            const std::array<int, 3>& image, std::vector<Pair>& pairs) const {
  const auto home = (static_cast<std::size_t>(bin[0]) * n_bins_[1] + bin[1]) * n_bins_[2] + bin[2];
  const auto& rows = cell_.rows();
  Vec3 origin{};
  for (int e = 0; e < 3; ++e)
    origin[e] = image[0] * rows[0][e] + image[1] * rows[1][e] + image[2] * rows[2][e] - wrapped_[i][e];
  for (auto k = bin_offsets_[home]; k < bin_offsets_[home + 1]; ++k) {
    const auto j = atoms_[k];
    const Vec3 r{wrapped_[j][0] + origin[0], wrapped_[j][1] + origin[1], wrapped_[j][2] + origin[2]};
    if (dot(r, r) >= radius * radius) continue;
    if (static_cast<std::size_t>(j) == i && image[0] == 0 && image[1] == 0 && image[2] == 0) continue;
    Pair pair{j, {}, r};
    // r_j − r_i + S·h with the positions as given: S counts the images of the given, not the wrapped, atoms.
    for (int d = 0; d < 3; ++d) pair.shift[d] = image[d] - home_shifts_[j][d] + home_shifts_[i][d];
    pairs.push_back(pair);
  }
}

}  // namespace polypace::neighbors
