// Atoms sorted into bins along the cell vectors: what answers "who is within r of this atom?" for any cell.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::neighbors {

struct Pair {
  std::int32_t j;
  std::array<std::int32_t, 3> shift;  // S
  Vec3 displacement;                  // r_j − r_i + S·h, Å
};

class CellGrid {
 public:
  // positions: (n_atoms, 3), need not lie inside the cell. Bins suit questions about distances near `cutoff`.
  CellGrid(View2<const double> positions, const Cell& cell, double cutoff);

  // All pairs i → j with |r_j − r_i + S·h| < radius, images of i included, sorted by (j, S); replaces `pairs`.
  void pairs_of(std::size_t i, double radius, std::vector<Pair>& pairs) const;

 private:
  Cell cell_;
  std::array<int, 3> n_bins_{};
  std::array<double, 3> bin_heights_{};  // Å
  std::vector<std::int64_t> bin_offsets_;
  std::vector<std::int32_t> atoms_;                       // sorted by bin
  std::vector<std::array<std::int32_t, 3>> home_shifts_;  // per atom: position = wrapped + home_shift·h
  std::vector<Vec3> wrapped_;                             // per atom
  std::vector<std::array<std::int32_t, 3>> bins_;         // per atom

  std::vector<Vec3> wrap(View2<const double> positions);
  void fill_bins(const std::vector<Vec3>& fractional, double cutoff);
  std::array<int, 3> reach(double radius) const;
  void pairs_in_bin(std::size_t i, double radius, const std::array<int, 3>& bin, const std::array<int, 3>& image,
                    std::vector<Pair>& pairs) const;
};

}  // namespace polypace::neighbors
