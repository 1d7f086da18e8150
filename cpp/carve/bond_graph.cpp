#include "carve/bond_graph.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/errors.hpp"

namespace polypace::carve {
namespace {

// Rounding fractional coordinates finds the shortest image of vectors below this length.
double unambiguous_length(const Cell& cell) {
  double length = std::numeric_limits<double>::infinity();
  for (int d = 0; d < 3; ++d)
    if (cell.pbc()[d]) length = std::min(length, 0.5 * cell.height(d));
  return length;
}

Shift nearest_shift(const Vec3& r, const Cell& cell) {
  const Vec3 s = cell.fractional(r);
  Shift shift{};
  for (int d = 0; d < 3; ++d)
    if (cell.pbc()[d]) shift[d] = static_cast<std::int32_t>(-std::round(s[d]));
  return shift;
}

}  // namespace

BondGraph::BondGraph(const std::vector<Vec3>& positions, View2<const std::int64_t> bonds, const Cell& cell) {
  const auto n_atoms = static_cast<std::int64_t>(positions.size());
  const double longest = unambiguous_length(cell);
  offsets_.assign(positions.size() + 1, 0);
  for (std::size_t bond = 0; bond < bonds.extent(0); ++bond) {
    for (int side = 0; side < 2; ++side) {
      const auto atom = bonds(bond, side);
      require(atom >= 0 && atom < n_atoms, "bonds[", bond, "] names atom ", atom, ", but atoms are 0…", n_atoms - 1);
      ++offsets_[atom + 1];
    }
    require(bonds(bond, 0) != bonds(bond, 1), "bonds[", bond, "] bonds atom ", bonds(bond, 0), " to itself");
  }
  for (std::size_t atom = 0; atom < positions.size(); ++atom) offsets_[atom + 1] += offsets_[atom];
  auto cursor = offsets_;
  ends_.resize(2 * bonds.extent(0));
  for (std::size_t bond = 0; bond < bonds.extent(0); ++bond) {
    const auto a = static_cast<std::int32_t>(bonds(bond, 0)), b = static_cast<std::int32_t>(bonds(bond, 1));
    const Vec3 raw = positions[b] - positions[a];
    const Shift shift = nearest_shift(raw, cell);
    const Vec3 r = raw + cell.cartesian({double(shift[0]), double(shift[1]), double(shift[2])});
    require(norm(r) < longest, "bonds[", bond, "] (atoms ", a, " and ", b, ") is ", norm(r),
            " Å long, not below half of the cell's smallest height: its image is ambiguous; repeat the cell or check "
            "the bonds");
    const auto row = static_cast<std::int32_t>(bond);
    ends_[cursor[a]++] = {b, row, shift, r};
    ends_[cursor[b]++] = {a, row, Shift{} - shift, -1.0 * r};
  }
  for (std::size_t atom = 0; atom < positions.size(); ++atom) {
    const auto first = ends_.begin() + offsets_[atom], last = ends_.begin() + offsets_[atom + 1];
    std::sort(first, last, [](const BondEnd& x, const BondEnd& y) { return x.atom < y.atom; });
    for (auto end = first; end != last && end + 1 != last; ++end)
      require(end->atom != (end + 1)->atom, "bonds[", (end + 1)->bond, "] repeats bonds[", end->bond, "] (atoms ", atom,
              " and ", end->atom, "); name each bond once");
  }
}

}  // namespace polypace::carve
