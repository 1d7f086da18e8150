#include "neighbors/neighbor_finder.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"

namespace polypace::neighbors {
namespace {

// Cells so small that an atom has more images in reach than this are mistakes (another unit, a lost vector).
constexpr double most_copies = 2e9;

// Brings r into the cell along periodic directions; returns its fractional coordinates.
Vec3 wrap(Vec3& r, std::size_t i, const Cell& cell) {
  require(std::isfinite(r[0]) && std::isfinite(r[1]) && std::isfinite(r[2]), "positions of atom ", i,
          " must be finite");
  Vec3 s = cell.fractional(r);
  for (int d = 0; d < 3; ++d) {
    if (!cell.pbc()[d]) continue;
    const double shift = std::floor(s[d]);
    require(std::abs(shift) < 1e9, "atom ", i, " lies ", shift, " cells away from the origin; wrap the positions");
    s[d] -= shift;
    for (int e = 0; e < 3; ++e) r[e] -= shift * cell.rows()[d][e];
  }
  return s;
}

}  // namespace

// Shifts along every direction that bring the atom into reach of the cell.
struct NeighborFinder::Copies {
  std::array<int, 3> first{}, last{};
};

NeighborFinder::NeighborFinder(View2<const double> positions, const Cell& cell, double cutoff)
    : cutoff_(cutoff), periodic_(cell.pbc()) {
  require(positions.extent(1) == 3, "positions must have 3 columns, got ", positions.extent(1));
  require(std::isfinite(cutoff) && cutoff > 0, "cutoff must be positive and finite, got ", cutoff);
  std::vector<Vec3> wrapped(positions.extent(0));
  fractional_.resize(wrapped.size());
  for (std::size_t i = 0; i < wrapped.size(); ++i) {
    wrapped[i] = {positions(i, 0), positions(i, 1), positions(i, 2)};
    fractional_[i] = wrap(wrapped[i], i, cell);
  }
  lay_out_bins(cell);
  fill_bins(cell, wrapped);
}

// Half a cutoff wide across, so that few columns of bins hold few empty corners, and fine along the last direction,
// where bins in reach lie one behind the other and cost nothing.
void NeighborFinder::lay_out_bins(const Cell& cell) {
  Vec3 length{};
  double n_copies = static_cast<double>(fractional_.size());
  for (int d = 0; d < 3; ++d) {
    reach_[d] = cutoff_ / cell.height(d) * (1 + 1e-9);
    low_[d] = -reach_[d];
    length[d] = 1 + 2 * reach_[d];
    if (periodic_[d]) {
      n_copies *= length[d];
      continue;
    }
    // Along an open direction there are no images, and atoms may lie anywhere.
    const auto [least, most] = std::minmax_element(fractional_.begin(), fractional_.end(),
                                                   [d](const Vec3& a, const Vec3& b) { return a[d] < b[d]; });
    low_[d] = fractional_.empty() ? 0 : (*least)[d];
    length[d] = fractional_.empty() ? 1 : std::max(((*most)[d] - low_[d]) * (1 + 1e-12), 1e-12);
  }
  require(n_copies < most_copies, "the cell with heights ", cell.height(0), ", ", cell.height(1), ", ", cell.height(2),
          " Å is so small that ", n_copies, " images lie within the cutoff of ", cutoff_, " Å; check the cell");
  // No more bins than a few per atom, whatever the ratio of cell to cutoff.
  const int most_bins = static_cast<int>(std::cbrt(2 * n_copies)) + 1;
  for (int d = 0; d < 3; ++d) {
    const double width = d == 2 ? cutoff_ / 6 : cutoff_ / 2, height = cell.height(d) * length[d];
    n_bins_[d] = std::clamp(static_cast<int>(std::min(height / width, 1e6)), 1, d == 2 ? 4 * most_bins : most_bins);
    bins_per_length_[d] = n_bins_[d] / length[d];
  }
}

NeighborFinder::Copies NeighborFinder::copies_of(std::size_t i) const {
  Copies copies;
  for (int d = 0; d < 3; ++d) {
    if (!periodic_[d]) continue;
    copies.first[d] = static_cast<int>(std::ceil(-reach_[d] - fractional_[i][d]));
    copies.last[d] = static_cast<int>(std::floor(1 + reach_[d] - fractional_[i][d]));
  }
  return copies;
}

void NeighborFinder::fill_bins(const Cell& cell, const std::vector<Vec3>& wrapped) {
  const auto bin = [this](int d, double s) {
    return std::clamp(static_cast<int>((s - low_[d]) * bins_per_length_[d]), 0, n_bins_[d] - 1);
  };
  const auto visit_copies = [&](std::size_t i, auto&& visit) {
    const Vec3& s = fractional_[i];
    const auto [first, last] = copies_of(i);
    for (int a = first[0]; a <= last[0]; ++a)
      for (int b = first[1], row = bin(0, s[0] + a); b <= last[1]; ++b)
        for (int c = first[2], column = row * n_bins_[1] + bin(1, s[1] + b); c <= last[2]; ++c)
          visit(static_cast<std::size_t>(column) * n_bins_[2] + bin(2, s[2] + c), a, b, c);
  };
  bin_offsets_.assign(static_cast<std::size_t>(n_bins_[0]) * n_bins_[1] * n_bins_[2] + 1, 0);
  for (std::size_t i = 0; i < fractional_.size(); ++i)
    visit_copies(i, [this](std::size_t home, int, int, int) { ++bin_offsets_[home + 1]; });
  for (std::size_t b = 1; b < bin_offsets_.size(); ++b) bin_offsets_[b] += bin_offsets_[b - 1];
  const auto n = static_cast<std::size_t>(bin_offsets_.back());
  x_.resize(n), y_.resize(n), z_.resize(n), atoms_.resize(n), place_.resize(fractional_.size());
  auto cursor = bin_offsets_;
  const auto& rows = cell.rows();
  for (std::size_t i = 0; i < fractional_.size(); ++i) {
    const Vec3& r = wrapped[i];
    visit_copies(i, [&](std::size_t home, int a, int b, int c) {
      const auto k = static_cast<std::size_t>(cursor[home]++);
      x_[k] = r[0] + (a * rows[0][0] + b * rows[1][0] + c * rows[2][0]);
      y_[k] = r[1] + (a * rows[0][1] + b * rows[1][1] + c * rows[2][1]);
      z_[k] = r[2] + (a * rows[0][2] + b * rows[1][2] + c * rows[2][2]);
      atoms_[k] = static_cast<std::int32_t>(i);
      if (a == 0 && b == 0 && c == 0) place_[i] = static_cast<std::int64_t>(k);
    });
  }
}

void NeighborFinder::append(std::size_t i, Surroundings& surroundings) const {
  std::array<std::size_t, 3> first{}, last{};
  for (int d = 0; d < 3; ++d) {
    const double from = (fractional_[i][d] - reach_[d] - low_[d]) * bins_per_length_[d];
    const double to = (fractional_[i][d] + reach_[d] - low_[d]) * bins_per_length_[d];
    const double end = n_bins_[d] - 1;
    first[d] = static_cast<std::size_t>(std::clamp(from, 0.0, end));
    last[d] = static_cast<std::size_t>(std::clamp(to, 0.0, end));
  }
  const auto self = static_cast<std::size_t>(place_[i]);
  for (auto a = first[0]; a <= last[0]; ++a)
    for (auto b = first[1]; b <= last[1]; ++b) {
      const std::size_t column = (a * n_bins_[1] + b) * n_bins_[2];
      scan(static_cast<std::size_t>(bin_offsets_[column + first[2]]),
           static_cast<std::size_t>(bin_offsets_[column + last[2] + 1]), self, surroundings);
    }
}

void NeighborFinder::scan(std::size_t begin, std::size_t end, std::size_t self, Surroundings& surroundings) const {
  surroundings.make_room(end - begin);
  const double cutoff2 = cutoff_ * cutoff_, x = x_[self], y = y_[self], z = z_[self];
  std::int32_t* neighbor = surroundings.neighbors.data() + surroundings.n;
  double* displacement = surroundings.displacements.data() + 3 * surroundings.n;
  std::size_t found = 0;
  // Written always, kept where in reach: no branch that the processor would guess wrongly every third time.
  for (std::size_t k = begin; k < end; ++k) {
    const double dx = x_[k] - x, dy = y_[k] - y, dz = z_[k] - z;
    neighbor[found] = atoms_[k];
    displacement[3 * found] = dx;
    displacement[3 * found + 1] = dy;
    displacement[3 * found + 2] = dz;
    found += static_cast<std::size_t>((dx * dx + dy * dy + dz * dz < cutoff2) & (k != self));
  }
  surroundings.n += found;
}

}  // namespace polypace::neighbors
