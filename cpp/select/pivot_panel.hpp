// Partial pivoting in a few columns of a tall matrix: the panels of a blocked LU factorisation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/threads.hpp"
#include "base/view.hpp"

namespace polypace::select {

constexpr std::size_t panel_columns = 32;

// Eliminates the columns first … last − 1, at most 32, of the rows from `first` on. Whole rows are exchanged, row c with
// row swaps[c]; then these columns hold the unit lower L below the diagonal and U on it and above. The pivot is the first
// of the largest entries, so the bits do not depend on the number of threads. A column of zeros is an error.
void pivot_panel(View2<double> matrix, View1<std::int64_t> swaps, std::size_t first, std::size_t last,
                 ThreadTeam& threads);

}  // namespace polypace::select
