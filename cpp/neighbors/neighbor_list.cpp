#include "neighbors/neighbor_list.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "neighbors/cell_grid.hpp"

namespace polypace::neighbors {

NeighborList build_neighbor_list(View2<const double> positions, const Cell& cell, double cutoff, int n_threads) {
  require(positions.extent(1) == 3, "positions must have 3 columns, got ", positions.extent(1));
  require(std::isfinite(cutoff) && cutoff > 0, "cutoff must be positive and finite, got ", cutoff);
  const std::size_t n_atoms = positions.extent(0);
  NeighborList list;
  list.offsets.assign(n_atoms + 1, 0);
  if (n_atoms == 0) return list;
  const CellGrid grid(positions, cell, cutoff);

  // Blocks of atoms are independent; their pieces are joined in order, so threads do not change the result.
  constexpr std::size_t block_size = 256;
  const std::size_t n_blocks = (n_atoms + block_size - 1) / block_size;
  std::vector<std::vector<Pair>> blocks(n_blocks);
  parallel_for(n_blocks, n_threads, [&](std::size_t block, int) {
    std::vector<Pair> pairs;
    for (std::size_t i = block * block_size; i < std::min(n_atoms, (block + 1) * block_size); ++i) {
      grid.pairs_of(i, cutoff, pairs);
      blocks[block].insert(blocks[block].end(), pairs.begin(), pairs.end());
      list.offsets[i + 1] = static_cast<std::int64_t>(pairs.size());
    }
  });
  for (std::size_t i = 0; i < n_atoms; ++i) list.offsets[i + 1] += list.offsets[i];
  const auto n_pairs = static_cast<std::size_t>(list.offsets[n_atoms]);
  list.neighbors.reserve(n_pairs);
  list.shifts.reserve(n_pairs);
  list.displacements.reserve(n_pairs);
  for (auto& block : blocks) {
    for (const auto& pair : block) {
      list.neighbors.push_back(pair.j);
      list.shifts.push_back(pair.shift);
      list.displacements.push_back(pair.displacement);
    }
    std::vector<Pair>().swap(block);
  }
  return list;
}

}  // namespace polypace::neighbors
