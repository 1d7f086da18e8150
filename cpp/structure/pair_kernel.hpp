// The inner loop of the pair histogram, compiled once per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace polypace::structure {

// Atoms i of one cell against a run of atoms j that lie one behind the other in memory.
struct PairRun {
  const double *x, *y, *z;         // sorted by cell
  const std::int32_t* types;       // of the sorted atoms
  std::size_t i_begin, i_end;
  std::size_t j_begin, j_end;
  bool after_i;                    // only j > i: the run begins with the cell of i itself
  double shift[3];                 // image of the run: r_j + shift
  double r2_max, inverse_width;
  const std::int32_t* rows;        // (n_types, n_types): where the histogram of a pair of types begins
  std::int32_t n_types;
  std::uint32_t* histogram;        // one bin more than used per row, for r that rounds up to r_max
};

using PairKernel = void (*)(const PairRun&);

namespace portable {
void count_run(const PairRun& run);
}
namespace avx2 {
void count_run(const PairRun& run);
}

}  // namespace polypace::structure
