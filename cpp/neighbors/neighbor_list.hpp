// Full neighbour list in CSR form for any cell: skewed, smaller than the cutoff, periodic in some or no directions.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::neighbors {

// Pairs i → j with |r_j − r_i + S·h| < cutoff, including images of i itself (never the atom itself with S = 0).
// Pairs of one atom are sorted by (j, S), so that the list does not depend on threads.
struct NeighborList {
  std::vector<std::int64_t> offsets;             // n_atoms + 1
  std::vector<std::int32_t> neighbors;           // n_pairs: j
  std::vector<std::array<std::int32_t, 3>> shifts;  // n_pairs: S
  std::vector<Vec3> displacements;               // n_pairs: r_j − r_i + S·h, Å
};

// positions: (n_atoms, 3), need not lie inside the cell.
NeighborList build_neighbor_list(View2<const double> positions, const Cell& cell, double cutoff, int n_threads);

}  // namespace polypace::neighbors
