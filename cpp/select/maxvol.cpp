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

constexpr std::size_t max_pending = 32;  // updates kept before every row is brought up to date
constexpr std::size_t chunk_rows = 512;  // rows of one task

RowKernels choose_kernels() {
#ifdef POLYPACE_X86_KERNELS
  if (__builtin_cpu_supports("avx512f")) return avx512::row_kernels();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::row_kernels();
#endif
  return portable::row_kernels();
}

struct Entry {
  double value = -1;
  std::size_t row = 0, column = 0;
  // Larger wins, of equal ones the first in row-major order.
  bool beats(const Entry& other) const {
    return value > other.value || (value == other.value && row < other.row);
  }
};

class Exchange {
 public:
  Exchange(View2<double> coefficients, View1<std::int64_t> selection, int n_threads)
      : c_(coefficients), selection_(selection), n_(coefficients.extent(0)), r_(coefficients.extent(1)),
        n_threads_(n_threads), kernels_(choose_kernels()), multipliers_(n_ * max_pending), updates_(max_pending * r_),
        applied_(n_, 0), bounds_(n_, std::numeric_limits<double>::infinity()), exact_(n_, 0), columns_(n_, 0) {}

  Entry largest_entry() {
    std::vector<Entry> best(n_chunks());
    std::atomic<double> floor{0};
    parallel_for(n_chunks(), n_threads_, [&](std::size_t chunk, int) { best[chunk] = largest_in(chunk, floor); });
    Entry winner;
    for (const Entry& entry : best)
      if (entry.beats(winner)) winner = entry;
    return winner;
  }

  void swap(const Entry& entry) {
    const double pivot = c_(entry.row, entry.column);
    double* update = updates_.data() + n_pending_ * r_;
    std::copy_n(&c_(entry.row, 0), r_, update);
    update[entry.column] -= 1;
    const double reach = std::abs(update[kernels_.largest_column(update, r_)]);
    std::vector<double> column(n_pending_);
    for (std::size_t s = 0; s < n_pending_; ++s) column[s] = updates_[s * r_ + entry.column];
    parallel_for(n_chunks(), n_threads_, [&](std::size_t chunk, int) {
      for (std::size_t row = first_row(chunk); row < last_row(chunk); ++row)
        add_pending(row, entry.column, column, pivot, reach);
    });
    selection_(entry.column) = static_cast<std::int64_t>(entry.row);
    if (++n_pending_ == max_pending) flush();
  }

  // Applies whatever is pending to every row.
  void flush() {
    parallel_for(n_chunks(), n_threads_, [&](std::size_t chunk, int) {
      for (std::size_t row = first_row(chunk); row < last_row(chunk); row += 4)
        bring_up_to_date(row, std::min<std::size_t>(4, last_row(chunk) - row));
      std::fill(applied_.begin() + first_row(chunk), applied_.begin() + last_row(chunk), 0);
    });
    n_pending_ = 0;
  }

 private:
  std::size_t n_chunks() const { return (n_ + chunk_rows - 1) / chunk_rows; }
  std::size_t first_row(std::size_t chunk) const { return chunk * chunk_rows; }
  std::size_t last_row(std::size_t chunk) const { return std::min(n_, (chunk + 1) * chunk_rows); }

  // Rows are refreshed in descending order of their bounds until the one on top is exact. `floor` only saves work:
  // a chunk whose bounds lie below what another chunk has already cannot decide.
  Entry largest_in(std::size_t chunk, std::atomic<double>& floor) {
    const std::size_t first = first_row(chunk), last = last_row(chunk);
    for (;;) {
      const std::size_t top = std::max_element(bounds_.begin() + first, bounds_.begin() + last) - bounds_.begin();
      if (bounds_[top] < floor.load(std::memory_order_relaxed)) return {};
      if (exact_[top]) {
        double seen = floor.load(std::memory_order_relaxed);
        while (seen < bounds_[top] && !floor.compare_exchange_weak(seen, bounds_[top], std::memory_order_relaxed)) {
        }
        return {bounds_[top], top, columns_[top]};
      }
      bring_up_to_date(top, 1);
    }
  }

  // Rows of one call may have seen different numbers of updates: the kernel takes them from the earliest, with
  // multipliers already applied set to zero.
  void bring_up_to_date(std::size_t row, std::size_t n_rows) {
    double* rows[4];
    const double* multipliers[4];
    int start = max_pending;
    for (std::size_t q = 0; q < n_rows; ++q) start = std::min(start, applied_[row + q]);
    for (std::size_t q = 0; q < n_rows; ++q) {
      double* own = multipliers_.data() + (row + q) * max_pending;
      std::fill(own + start, own + applied_[row + q], 0.0);
      rows[q] = &c_(row + q, 0);
      multipliers[q] = own + start;
    }
    kernels_.update_rows(rows, multipliers, n_rows, updates_.data() + start * r_, n_pending_ - start, r_);
    for (std::size_t q = 0; q < n_rows; ++q) {
      applied_[row + q] = static_cast<int>(n_pending_);
      columns_[row + q] = kernels_.largest_column(rows[q], r_);
      bounds_[row + q] = std::abs(rows[q][columns_[row + q]]);
      exact_[row + q] = 1;
    }
  }

  void add_pending(std::size_t row, std::size_t column, const std::vector<double>& update_column, double pivot,
                   double reach) {
    double* own = multipliers_.data() + row * max_pending;
    const std::size_t start = applied_[row];
    const double value =
        kernels_.update_entry(c_(row, column), own + start, update_column.data() + start, n_pending_ - start);
    const double multiplier = value / pivot;
    own[n_pending_] = multiplier;
    if (multiplier == 0) return;
    constexpr double rounding = 1 + 1e-9;
    bounds_[row] = (bounds_[row] + std::abs(multiplier) * reach) * rounding;
    exact_[row] = 0;
  }

  View2<double> c_;
  View1<std::int64_t> selection_;
  std::size_t n_, r_;
  int n_threads_;
  RowKernels kernels_;
  std::vector<double> multipliers_;  // n × max_pending: C[:,i]/C_ji of each pending update
  std::vector<double> updates_;      // max_pending × r: C[j,:] − e_i
  std::vector<int> applied_;         // per row: how many of the pending updates it has
  std::vector<double> bounds_;       // per row: at least its largest |C|
  std::vector<char> exact_;          // per row: bounds_ is that largest, at columns_
  std::vector<std::size_t> columns_;
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
  exchange.flush();
  return outcome;
}

}  // namespace polypace::select
