// Which functions a basis has, given limits of n and l per rank: pacemaker's selection, in pacemaker's order.
#pragma once

#include <optional>
#include <vector>

#include "ace/potential.hpp"

namespace polypace::ace {

// A centre with a set of neighbour species. Its functions are those whose centre and neighbours together are exactly
// the block's species; the block {centre} alone has the functions whose neighbours are all of the centre's species.
struct BlockRecipe {
  int centre = 0;
  std::vector<int> others;      // distinct, without the centre
  std::vector<int> n_max;       // per rank 1, 2, …: n (rank 1: k) runs to n_max
  std::vector<int> l_max;       // per rank
  std::optional<int> n_kept;    // only so many, those of smallest rank + Σn + Σl (n from 1); all where empty
};

// Ordered by rank, neighbour species, ns, ls, lint; by rank + Σn + Σl first where only some are kept. A function is left out when it is a linear combination of earlier
// ones with the same ls. Throws std::invalid_argument beyond pacemaker's tables: l ≤ 10, 6, 4, 3, 2 for ranks 2…6,
// rank 6 with at most two different (species, n).
std::vector<std::vector<BasisFunction>> generate_functions(const std::vector<BlockRecipe>& blocks);

}  // namespace polypace::ace
