#include "select/maxvol.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "select/row_updates.hpp"

namespace polypace::select {
namespace {

constexpr std::size_t max_pending = 16;    // updates kept before all are applied
constexpr std::size_t tile_columns = 32;   // columns that share one upper bound
constexpr std::size_t chunk_rows = 256;    // rows of one task
constexpr std::size_t rows_ahead = 16;     // of which one entry is fetched while earlier rows are worked on
constexpr std::size_t tiles_ahead = 8;     // which are fetched while earlier ones are worked on
constexpr std::size_t line_doubles = 8;    // of a line of the cache

struct Entry {
  double value = -1;
  std::size_t row = 0, column = 0;
  // Larger wins, of equal ones the first in row-major order.
  bool beats(const Entry& other) const {
    if (value != other.value) return value > other.value;
    return row < other.row || (row == other.row && column < other.column);
  }
};

struct Place {
  std::size_t row, tile;
};

// C in tiles of one row and 32 columns. A tile knows how many of the pending updates it has and an upper bound of its
// largest entry with all of them; it is brought up to date only when that bound says that it could decide. The largest
// bound of every row lets most rows be passed over at once.
class Exchange {
 public:
  Exchange(View2<double> coefficients, View1<std::int64_t> selection, int n_threads)
      : c_(coefficients), selection_(selection), n_(coefficients.extent(0)), r_(coefficients.extent(1)),
        n_tiles_((r_ + tile_columns - 1) / tile_columns),
        n_bounds_((n_tiles_ + bound_lanes - 1) / bound_lanes * bound_lanes),
        threads_(static_cast<int>(std::min<std::size_t>(resolve_n_threads(n_threads), n_chunks()))),
        kernels_(choose_kernels()), multipliers_(n_ * max_pending), updates_(n_tiles_ * max_pending * tile_columns),
        applied_(n_ * n_tiles_, 0), bounds_(n_ * n_bounds_), row_bounds_(n_) {
    for_rows([&](std::size_t row) {
      for (std::size_t tile = 0; tile < n_tiles_; ++tile) apply_pending(row, tile);
      row_bounds_[row] = largest_bound(row);
    });
  }

  Entry largest_entry() {
    std::vector<Entry> best(n_chunks());
    std::atomic<double> floor{0};
    // The likeliest row of every chunk first: the better the floor is known, the fewer tiles can decide.
    threads_.run(n_chunks(), [&](std::size_t chunk, int) {
      const auto first = row_bounds_.begin() + chunk * chunk_rows, last = row_bounds_.begin() + end_of(chunk);
      const std::size_t row = std::max_element(first, last) - row_bounds_.begin();
      look_at_rows(row, row + 1, floor, best[chunk]);
    });
    threads_.run(n_chunks(), [&](std::size_t chunk, int) {
      look_at_rows(chunk * chunk_rows, end_of(chunk), floor, best[chunk]);
    });
    Entry winner;
    for (const Entry& entry : best)
      if (entry.beats(winner)) winner = entry;
    return winner;
  }

  void swap(const Entry& entry) {
    const double pivot = c_(entry.row, entry.column);
    std::vector<float> reach(n_bounds_);
    for (std::size_t tile = 0; tile < n_tiles_; ++tile) reach[tile] = store_update(entry, tile);
    const std::size_t tile = entry.column / tile_columns;
    std::vector<double> column(n_pending_);
    for (std::size_t s = 0; s < n_pending_; ++s) column[s] = update(tile, s)[entry.column % tile_columns];
    for_rows([&](std::size_t row) { add_pending(row, entry.column, column, pivot, reach); });
    selection_(entry.column) = static_cast<std::int64_t>(entry.row);
    if (++n_pending_ == max_pending) flush();
  }

 private:
  std::size_t n_chunks() const { return (n_ + chunk_rows - 1) / chunk_rows; }
  std::size_t end_of(std::size_t chunk) const { return std::min(n_, (chunk + 1) * chunk_rows); }
  std::size_t width(std::size_t tile) const { return std::min(tile_columns, r_ - tile * tile_columns); }
  double* update(std::size_t tile, std::size_t s) {
    return updates_.data() + (tile * max_pending + s) * tile_columns;
  }

  template <class Body>
  void for_rows(const Body& body) {
    threads_.run(n_chunks(), [&](std::size_t chunk, int) {
      for (std::size_t row = chunk * chunk_rows; row < end_of(chunk); ++row) body(row);
    });
  }

  // C[j,:] − e_i of one tile, whose largest absolute value is returned. Row j must be up to date.
  float store_update(const Entry& entry, std::size_t tile) {
    bring_up_to_date(entry.row, tile);
    double* target = update(tile, n_pending_);
    std::fill_n(target, tile_columns, 0.0);
    std::copy_n(&c_(entry.row, tile * tile_columns), width(tile), target);
    if (tile == entry.column / tile_columns) target[entry.column % tile_columns] -= 1;
    double largest = 0;
    for (std::size_t c = 0; c < tile_columns; ++c) largest = std::max(largest, std::abs(target[c]));
    return static_cast<float>(largest) * round_up;
  }

  // Applies whatever is pending.
  void flush() {
    for_rows([&](std::size_t row) {
      for (std::size_t tile = 0; tile < n_tiles_; ++tile) bring_up_to_date(row, tile);
      row_bounds_[row] = largest_bound(row);
    });
    std::fill(applied_.begin(), applied_.end(), std::uint8_t{0});
    n_pending_ = 0;
  }

  float largest_bound(std::size_t row) const {
    return *std::max_element(bounds_.begin() + row * n_bounds_, bounds_.begin() + row * n_bounds_ + n_tiles_);
  }

  // `floor` is what has been found somewhere: tiles with smaller bounds cannot decide. It only saves work, the outcome
  // is the same whichever thread raises it first.
  void look_at_rows(std::size_t first, std::size_t last, std::atomic<double>& floor, Entry& best) {
    const double least = floor.load(std::memory_order_relaxed);
    std::vector<std::size_t> rows;
    for (std::size_t row = first; row < last; ++row)
      if (row_bounds_[row] >= least) rows.push_back(row);
    // Tile after tile, so that its updates stay near; listed first, so that memory is asked for before it is needed.
    std::vector<Place> likely;
    for (std::size_t tile = 0; tile < n_tiles_; ++tile)
      for (const std::size_t row : rows)
        if (bounds_[row * n_bounds_ + tile] >= least) likely.push_back({row, tile});
    for (std::size_t k = 0; k < likely.size(); ++k) {
      if (k + tiles_ahead < likely.size()) fetch(likely[k + tiles_ahead]);
      look_at_tile(likely[k], floor, best);
    }
    for (const std::size_t row : rows) row_bounds_[row] = largest_bound(row);
  }

  void look_at_tile(const Place& place, std::atomic<double>& floor, Entry& best) {
    const auto [row, tile] = place;
    const float& bound = bounds_[row * n_bounds_ + tile];
    if (bound < floor.load(std::memory_order_relaxed)) return;
    bring_up_to_date(row, tile);
    if (bound < floor.load(std::memory_order_relaxed)) return;
    const double* values = &c_(row, tile * tile_columns);
    const std::size_t column = kernels_.largest_column(values, width(tile));
    const Entry entry{std::abs(values[column]), row, tile * tile_columns + column};
    if (entry.beats(best)) best = entry;
    double seen = floor.load(std::memory_order_relaxed);
    while (seen < entry.value && !floor.compare_exchange_weak(seen, entry.value, std::memory_order_relaxed)) {
    }
  }

  void fetch(const Place& place) const {
    for (std::size_t c = 0; c < width(place.tile); c += line_doubles)
      __builtin_prefetch(&c_(place.row, place.tile * tile_columns + c), 1);
  }

  void bring_up_to_date(std::size_t row, std::size_t tile) {
    if (applied_[row * n_tiles_ + tile] != n_pending_) apply_pending(row, tile);
  }

  void apply_pending(std::size_t row, std::size_t tile) {
    std::uint8_t& applied = applied_[row * n_tiles_ + tile];
    const double* own = multipliers_.data() + row * max_pending + applied;
    const double largest = kernels_.update_tile(&c_(row, tile * tile_columns), own, update(tile, applied),
                                                n_pending_ - applied, width(tile));
    applied = static_cast<std::uint8_t>(n_pending_);
    bounds_[row * n_bounds_ + tile] = static_cast<float>(largest) * round_up;
  }

  void add_pending(std::size_t row, std::size_t column, const std::vector<double>& update_column, double pivot,
                   const std::vector<float>& reach) {
    __builtin_prefetch(&c_(std::min(row + rows_ahead, n_ - 1), column));  // one entry a row: memory would be waited for
    double* own = multipliers_.data() + row * max_pending;
    const std::size_t applied = applied_[row * n_tiles_ + column / tile_columns];
    const double value =
        kernels_.update_entry(c_(row, column), own + applied, update_column.data() + applied, n_pending_ - applied);
    own[n_pending_] = value / pivot;
    const float size = static_cast<float>(std::abs(own[n_pending_])) * round_up;
    row_bounds_[row] = kernels_.raise_bounds(bounds_.data() + row * n_bounds_, reach.data(), size, n_bounds_);
  }

  View2<double> c_;
  View1<std::int64_t> selection_;
  std::size_t n_, r_, n_tiles_, n_bounds_;  // n_bounds: n_tiles, filled up for kernels
  ThreadTeam threads_;
  RowKernels kernels_;
  std::vector<double> multipliers_;    // n × max_pending: C[:,i]/C_ji of each pending update
  std::vector<double> updates_;        // tiles × max_pending × tile_columns: C[j,:] − e_i
  std::vector<std::uint8_t> applied_;  // n × tiles: how many of the pending updates the tile has
  std::vector<float> bounds_;          // n × n_bounds: at least the tile's largest |C|, 0 beyond the tiles
  std::vector<float> row_bounds_;      // n: the largest of them in every row
  std::size_t n_pending_ = 0;
};

}  // namespace

MaxVolOutcome exchange_rows(View2<double> coefficients, View1<std::int64_t> selection, double tolerance,
                            std::size_t max_swaps, int n_threads) {
  require(selection.extent(0) == coefficients.extent(1), "selection must have ", coefficients.extent(1),
          " rows, one per column of the matrix, got ", selection.extent(0));
  require(std::isfinite(tolerance), "tolerance must be finite, got ", tolerance);
  MaxVolOutcome outcome;
  if (coefficients.empty()) return outcome;
  Exchange exchange(coefficients, selection, n_threads);
  for (;;) {
    const Entry entry = exchange.largest_entry();
    outcome.largest = entry.value;
    outcome.converged = entry.value <= tolerance;
    if (outcome.converged || outcome.n_swaps == max_swaps) break;
    exchange.swap(entry);
    ++outcome.n_swaps;
  }
  return outcome;
}

}  // namespace polypace::select
