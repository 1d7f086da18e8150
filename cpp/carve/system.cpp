#include "carve/system.hpp"

#include <cmath>

#include "base/errors.hpp"
#include "carve/cuttable.hpp"

namespace polypace::carve {
namespace {

struct Wrapped {
  std::vector<Vec3> positions;
  std::vector<Shift> home_shifts;
};

Wrapped wrap(View2<const double> positions, const Cell& cell) {
  Wrapped wrapped;
  wrapped.positions.resize(positions.extent(0));
  wrapped.home_shifts.resize(positions.extent(0));
  for (std::size_t i = 0; i < positions.extent(0); ++i) {
    const Vec3 r{positions(i, 0), positions(i, 1), positions(i, 2)};
    const Vec3 s = cell.fractional(r);
    Vec3 offset{};
    for (int d = 0; d < 3; ++d) {
      if (!cell.pbc()[d]) continue;
      offset[d] = std::floor(s[d]);
      require(std::abs(offset[d]) < 1e9, "atom ", i, " lies ", offset[d],
              " cells away from the origin; wrap the positions");
      wrapped.home_shifts[i][d] = static_cast<std::int32_t>(offset[d]);
    }
    wrapped.positions[i] = r - cell.cartesian(offset);
  }
  return wrapped;
}

}  // namespace

System make_system(const SystemInput& input, const Cell& cell, int n_threads) {
  const std::size_t n_atoms = input.positions.extent(0);
  require(input.numbers.extent(0) == n_atoms && input.cap_lengths.extent(0) == n_atoms,
          "numbers and cap_lengths must hold one entry for each of the ", n_atoms, " atoms, got ",
          input.numbers.extent(0), " and ", input.cap_lengths.extent(0));
  Wrapped wrapped = wrap(input.positions, cell);
  BondGraph graph(wrapped.positions, input.bonds, cell);
  auto cuttable =
      find_cuttable_bonds(graph, input.numbers, input.bond_orders, !input.united, input.max_ring_size, n_threads);
  const View2<const double> flat(n_atoms ? wrapped.positions[0].data() : nullptr, n_atoms, 3);
  neighbors::CellGrid grid(flat, cell, input.typical_radius);
  std::vector<std::uint8_t> hydrogen(n_atoms);
  std::vector<double> cap_lengths(n_atoms);
  for (std::size_t i = 0; i < n_atoms; ++i) {
    for (const auto& end : graph.ends_of(static_cast<std::int32_t>(i)))
      if (input.numbers(i) == 1 && input.numbers(static_cast<std::size_t>(end.atom)) != 1) hydrogen[i] = 1;
    cap_lengths[i] = input.cap_lengths(i);
  }
  return {cell,
          std::move(wrapped.positions),
          std::move(wrapped.home_shifts),
          std::move(hydrogen),
          std::move(cap_lengths),
          std::move(graph),
          std::move(cuttable),
          input.united,
          std::move(grid)};
}

}  // namespace polypace::carve
