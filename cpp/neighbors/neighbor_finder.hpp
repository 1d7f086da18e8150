// Neighbours of single atoms, found when they are needed: for callers that go through a structure once and do not want
// the whole list in memory.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::neighbors {

// Neighbours of some atoms, one behind the other: the first `n` places of both arrays. The arrays only grow, because
// making room for every atom anew costs as much as finding its neighbours.
struct Surroundings {
  std::size_t n = 0;
  std::vector<std::int32_t> neighbors;
  std::vector<double> displacements;  // neighbours × 3: r_j − r_i + S·h, Å

  void clear() { n = 0; }
  void make_room(std::size_t n_more) {
    if (neighbors.size() >= n + n_more) return;
    neighbors.resize(2 * (n + n_more));
    displacements.resize(3 * neighbors.size());
  }
};

class NeighborFinder {
 public:
  // positions: (n_atoms, 3), need not lie inside the cell. cutoff: positive and finite, Å.
  NeighborFinder(View2<const double> positions, const Cell& cell, double cutoff);

  // Appends all j, S with |r_j − r_i + S·h| < cutoff, images of i included, in an order that depends on nothing but the
  // structure. Thread-safe.
  void append(std::size_t i, Surroundings& surroundings) const;

 private:
  struct Copies;

  void lay_out_bins(const Cell& cell);
  Copies copies_of(std::size_t i) const;
  void fill_bins(const Cell& cell, const std::vector<Vec3>& wrapped);
  void scan(std::size_t begin, std::size_t end, std::size_t self, Surroundings& surroundings) const;

  double cutoff_;
  std::array<bool, 3> periodic_;
  Vec3 reach_{};                    // the cutoff in fractional coordinates
  Vec3 low_{}, bins_per_length_{};  // bins span [low, …) in fractional coordinates
  std::array<int, 3> n_bins_{};
  std::vector<std::int64_t> bin_offsets_;
  std::vector<Vec3> fractional_;     // of the atoms as given, inside the cell along periodic directions
  std::vector<std::int64_t> place_;  // where the atom itself is among the copies
  // Atoms and their images in reach of the cell, sorted by bin, the last direction fastest.
  std::vector<double> x_, y_, z_;
  std::vector<std::int32_t> atoms_;
};

}  // namespace polypace::neighbors
