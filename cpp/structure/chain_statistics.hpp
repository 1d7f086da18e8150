// Size and stiffness of linear chains.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::structure {

// Chain c is the atoms beads[offsets[c]…offsets[c+1]) from end to end; neighbours along it are joined by the shortest
// image of their difference.
// end_to_end (n_frames, n_chains): R²; gyration (n_frames, n_chains): R_g² of the beads, equal weights; Å².
// internal (n_frames, n_separations): Σ over chains and positions of |r_{i+s} − r_i|², s = 1…n_separations.
void chain_statistics(View3<const double> positions, const std::vector<Cell>& cells, View1<const std::int64_t> offsets,
                      View1<const std::int64_t> beads, View2<double> end_to_end, View2<double> gyration,
                      View2<double> internal, int n_threads);

}  // namespace polypace::structure
