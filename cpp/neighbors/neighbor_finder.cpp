#include "neighbors/neighbor_finder.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"

namespace polypace::neighbors {
namespace {

int floor_division(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

// Most bins a direction can have: about one atom per bin in a dense structure.
int most_bins(std::size_t n_atoms) {
  return std::max(1, static_cast<int>(std::cbrt(2.0 * static_cast<double>(n_atoms)) + 1));
}

}  // namespace

Vec3 NeighborFinder::wrap(View2<const double> positions, std::size_t i, const Cell& cell, Vec3& fractional) const {
  Vec3 r{positions(i, 0), positions(i, 1), positions(i, 2)};
  require(std::isfinite(r[0]) && std::isfinite(r[1]) && std::isfinite(r[2]), "positions of atom ", i,
          " must be finite");
  fractional = cell.fractional(r);
  for (int d = 0; d < 3; ++d) {
    if (!periodic_[d]) continue;
    const double shift = std::floor(fractional[d]);
    require(std::abs(shift) < 1e9, "atom ", i, " lies ", shift, " cells away from the origin; wrap the positions");
    fractional[d] -= shift;
    for (int e = 0; e < 3; ++e) r[e] -= shift * rows_[d][e];
  }
  return r;
}

NeighborFinder::NeighborFinder(View2<const double> positions, const Cell& cell, double cutoff)
    : rows_(cell.rows()), periodic_(cell.pbc()), cutoff_(cutoff) {
  require(positions.extent(1) == 3, "positions must have 3 columns, got ", positions.extent(1));
  require(std::isfinite(cutoff) && cutoff > 0, "cutoff must be positive and finite, got ", cutoff);
  const std::size_t n = positions.extent(0);
  std::vector<Vec3> wrapped(n), fractional(n);
  for (std::size_t i = 0; i < n; ++i) wrapped[i] = wrap(positions, i, cell, fractional[i]);
  // Along an open direction atoms may lie anywhere, so the bins span their extent.
  Vec3 low{0, 0, 0}, length{1, 1, 1};
  for (int d = 0; d < 3; ++d) {
    if (!periodic_[d] && n > 0) {
      const auto [least, most] = std::minmax_element(fractional.begin(), fractional.end(),
                                                     [d](const Vec3& a, const Vec3& b) { return a[d] < b[d]; });
      low[d] = (*least)[d];
      length[d] = std::max(((*most)[d] - low[d]) * (1 + 1e-12), 1e-12);
    }
    const double height = cell.height(d) * length[d];
    n_bins_[d] = std::clamp(static_cast<int>(std::min(height / (0.5 * cutoff), 1e6)), 1, most_bins(n));
    reach_[d] = static_cast<int>(std::min(std::ceil(cutoff / (height / n_bins_[d])), 1e6));
    if (!periodic_[d]) reach_[d] = std::min(reach_[d], n_bins_[d] - 1);
  }
  bin_.resize(n);
  std::vector<std::size_t> home(n);
  bin_offsets_.assign(static_cast<std::size_t>(n_bins_[0]) * n_bins_[1] * n_bins_[2] + 1, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (int d = 0; d < 3; ++d)
      bin_[i][d] = std::clamp(static_cast<int>((fractional[i][d] - low[d]) / length[d] * n_bins_[d]), 0, n_bins_[d] - 1);
    home[i] = (static_cast<std::size_t>(bin_[i][0]) * n_bins_[1] + bin_[i][1]) * n_bins_[2] + bin_[i][2];
    ++bin_offsets_[home[i] + 1];
  }
  for (std::size_t b = 1; b < bin_offsets_.size(); ++b) bin_offsets_[b] += bin_offsets_[b - 1];
  auto cursor = bin_offsets_;
  x_.resize(n), y_.resize(n), z_.resize(n), atoms_.resize(n), place_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(place_[i] = cursor[home[i]]++);
    x_[k] = wrapped[i][0], y_[k] = wrapped[i][1], z_[k] = wrapped[i][2];
    atoms_[k] = static_cast<std::int32_t>(i);
  }
}

void NeighborFinder::scan(std::size_t begin, std::size_t end, const Vec3& origin, std::int64_t skipped,
                          Surroundings& surroundings) const {
  constexpr std::size_t chunk = 64;
  double dx[chunk], dy[chunk], dz[chunk], r2[chunk];
  const double cutoff2 = cutoff_ * cutoff_;
  for (; begin < end; begin += chunk) {
    const std::size_t n = std::min(chunk, end - begin);
    for (std::size_t k = 0; k < n; ++k) {
      dx[k] = x_[begin + k] + origin[0];
      dy[k] = y_[begin + k] + origin[1];
      dz[k] = z_[begin + k] + origin[2];
      r2[k] = dx[k] * dx[k] + dy[k] * dy[k] + dz[k] * dz[k];
    }
    // Written always, kept where in reach: no branch that the processor would guess wrongly every third time.
    std::size_t found = surroundings.neighbors.size();
    surroundings.neighbors.resize(found + n);
    surroundings.displacements.resize(3 * (found + n));
    std::int32_t* neighbors = surroundings.neighbors.data();
    double* displacements = surroundings.displacements.data();
    for (std::size_t k = 0; k < n; ++k) {
      neighbors[found] = atoms_[begin + k];
      displacements[3 * found] = dx[k];
      displacements[3 * found + 1] = dy[k];
      displacements[3 * found + 2] = dz[k];
      found += (r2[k] < cutoff2) & (static_cast<std::int64_t>(begin + k) != skipped);
    }
    surroundings.neighbors.resize(found);
    surroundings.displacements.resize(3 * found);
  }
}

void NeighborFinder::append(std::size_t i, Surroundings& surroundings) const {
  const std::int64_t self = place_[i];
  std::array<int, 3> b{}, image{}, bin{};
  const auto place = [&](int d) {
    image[d] = floor_division(bin_[i][d] + b[d], n_bins_[d]);
    bin[d] = bin_[i][d] + b[d] - image[d] * n_bins_[d];
    return image[d] == 0 || periodic_[d];
  };
  for (b[0] = -reach_[0]; b[0] <= reach_[0]; ++b[0]) {
    if (!place(0)) continue;
    for (b[1] = -reach_[1]; b[1] <= reach_[1]; ++b[1]) {
      if (!place(1)) continue;
      const std::size_t column = (static_cast<std::size_t>(bin[0]) * n_bins_[1] + bin[1]) * n_bins_[2];
      // Bins of one image along the last direction lie one behind the other in memory.
      for (b[2] = -reach_[2]; b[2] <= reach_[2];) {
        const bool exists = place(2);
        const int n = std::min(n_bins_[2] - bin[2], reach_[2] - b[2] + 1);
        b[2] += n;
        if (!exists) continue;
        Vec3 origin{};
        for (int e = 0; e < 3; ++e)
          origin[e] = image[0] * rows_[0][e] + image[1] * rows_[1][e] + image[2] * rows_[2][e];
        origin[0] -= x_[self], origin[1] -= y_[self], origin[2] -= z_[self];
        const bool home = image[0] == 0 && image[1] == 0 && image[2] == 0;
        scan(static_cast<std::size_t>(bin_offsets_[column + bin[2]]),
             static_cast<std::size_t>(bin_offsets_[column + bin[2] + n]), origin, home ? self : -1, surroundings);
      }
    }
  }
}

}  // namespace polypace::neighbors
