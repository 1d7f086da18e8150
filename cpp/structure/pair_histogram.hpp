// How many pairs of atoms lie how far apart.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::structure {

// Bins of equal width from 0 to r_max; types 0…n_types−1; one row per unordered pair of types, (a, b ≥ a) in
// lexicographic order.
struct PairBins {
  double r_max = 0;
  std::size_t n_bins = 0;
  std::int32_t n_types = 1;

  std::size_t n_rows() const { return static_cast<std::size_t>(n_types) * (n_types + 1) / 2; }
};

// Adds to counts (n_rows, n_bins) every unordered pair of atoms, all images within r_max included.
// positions (n_atoms, 3), need not lie inside the cell. Open directions have no images.
void count_pairs(View2<const double> positions, View1<const std::int32_t> types, const Cell& cell, const PairBins& bins,
                 View2<std::int64_t> counts, int n_threads);

// The same for pairs within a molecule, as they are in space: positions are those of whole molecules, no images.
// Molecule m has the atoms members[offsets[m]…offsets[m+1]).
void count_molecule_pairs(View2<const double> positions, View1<const std::int32_t> types,
                          View1<const std::int64_t> offsets, View1<const std::int64_t> members, const PairBins& bins,
                          View2<std::int64_t> counts, int n_threads);

}  // namespace polypace::structure
