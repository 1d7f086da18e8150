// Bond lengths, angles and dihedrals, and their histograms.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::structure {

// Histogram of one group of tuples in one frame is counts(frame, group, ·); values outside [low, low + n·width) are
// only in the moments.
struct ValueBins {
  double low = 0, width = 1;
  std::size_t n_bins = 1;
};

// tuples (n, 2): |r_b − r_a|, Å; (n, 3): angle at the middle atom, degrees 0…180; (n, 4): dihedral angle, degrees
// −180…180, 0 for cis and ±180 for trans (IUPAC sign). Every difference is taken to its nearest image.
// groups (n): 0…n_groups−1. counts (n_frames, n_groups, n_bins) and moments (n_frames, n_groups, 2: Σv, Σv²) are set.
void internal_coordinate_histograms(View3<const double> positions, const std::vector<Cell>& cells,
                                    View2<const std::int64_t> tuples, View1<const std::int64_t> groups,
                                    const ValueBins& bins, View3<std::int64_t> counts, View3<double> moments,
                                    int n_threads);

// The values themselves: values (n_frames, n).
void internal_coordinates(View3<const double> positions, const std::vector<Cell>& cells,
                          View2<const std::int64_t> tuples, View2<double> values, int n_threads);

}  // namespace polypace::structure
