// Neighbours of single atoms, found when they are needed: for callers that go through a structure once and do not want
// the whole list in memory.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::neighbors {

// Neighbours of some atoms, one behind the other; cleared and filled by the caller, its memory is kept.
struct Surroundings {
  std::vector<std::int32_t> neighbors;
  std::vector<double> displacements;  // neighbours × 3: r_j − r_i + S·h, Å
};

class NeighborFinder {
 public:
  // positions: (n_atoms, 3), copied; need not lie inside the cell. cutoff: positive and finite, Å.
  NeighborFinder(View2<const double> positions, const Cell& cell, double cutoff);

  // Appends all j, S with |r_j − r_i + S·h| < cutoff, images of i included, in an order that depends on nothing but the
  // structure. Thread-safe.
  void append(std::size_t i, Surroundings& surroundings) const;

 private:
  void scan(std::size_t begin, std::size_t end, const Vec3& origin, std::int64_t skipped,
            Surroundings& surroundings) const;
  Vec3 wrap(View2<const double> positions, std::size_t i, const Cell& cell, Vec3& fractional) const;

  std::array<Vec3, 3> rows_;
  std::array<bool, 3> periodic_;
  double cutoff_;
  std::array<int, 3> n_bins_{}, reach_{};
  std::vector<std::int64_t> bin_offsets_;
  // Atoms sorted by bin, the last direction fastest.
  std::vector<double> x_, y_, z_;
  std::vector<std::int32_t> atoms_;
  // Per atom as given.
  std::vector<std::int64_t> place_;              // where it is among the sorted
  std::vector<std::array<std::int32_t, 3>> bin_;
};

}  // namespace polypace::neighbors
