#include "select/pivot_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "select/row_updates.hpp"

namespace polypace::select {
namespace {

constexpr std::size_t panel_columns = 32;
constexpr std::size_t panel_task_rows = 4096;  // rows of one task inside a panel, where little is done per row
constexpr std::size_t update_task_rows = 64;   // rows of one task where much is done; they fit into the cache

std::size_t n_tasks(std::size_t n_rows, std::size_t rows_per_task) {
  return (n_rows + rows_per_task - 1) / rows_per_task;
}

// Rows are addressed through `order`: position in the elimination → row of the matrix, so that none is moved.
class Elimination {
 public:
  Elimination(View2<double> matrix, int n_threads)
      : a_(matrix), n_(matrix.extent(0)), r_(matrix.extent(1)), n_threads_(n_threads), kernels_(choose_kernels()),
        order_(n_), panel_(n_ * panel_columns) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
  }

  // Leaves L below the diagonal of the pivoted matrix (of U only what the next panels need).
  void factorize() {
    for (std::size_t first = 0; first < r_; first += panel_columns) {
      const std::size_t width = std::min(panel_columns, r_ - first);
      load_panel(first, width);
      for (std::size_t column = 0; column < width; ++column) eliminate_column(first, column, width);
      store_panel(first, width);
      if (first + width < r_) update_trailing(first, width);
    }
  }

  // Rows of L₂ become rows of L₂·L₁⁻¹, those of L₁ unit vectors.
  void solve() {
    std::vector<double> lower(r_ * r_);
    for (std::size_t position = 0; position < r_; ++position)
      std::copy_n(&a_(order_[position], 0), position, lower.data() + position * r_);
    const std::size_t n_below = n_ - r_;
    parallel_for(n_tasks(n_below, update_task_rows), n_threads_, [&](std::size_t task, int) {
      const std::size_t begin = r_ + task * update_task_rows;
      solve_rows(lower, begin, std::min(n_, begin + update_task_rows));
    });
    for (std::size_t slot = 0; slot < r_; ++slot) {
      std::fill_n(&a_(order_[slot], 0), r_, 0.0);
      a_(order_[slot], slot) = 1;
    }
  }

  const std::vector<std::int64_t>& order() const { return order_; }

 private:
  double* panel_row(std::size_t position) { return panel_.data() + position * panel_columns; }

  void load_panel(std::size_t first, std::size_t width) {
    for (std::size_t position = first; position < n_; ++position)
      std::copy_n(&a_(order_[position], first), width, panel_row(position));
    next_pivot_ = largest_in_column(first, 0);
  }

  void store_panel(std::size_t first, std::size_t width) {
    for (std::size_t position = first; position < n_; ++position)
      std::copy_n(panel_row(position), width, &a_(order_[position], first));
  }

  std::size_t largest_in_column(std::size_t begin, std::size_t column) {
    std::size_t best = begin;
    for (std::size_t position = begin; position < n_; ++position)
      if (std::abs(panel_row(position)[column]) > std::abs(panel_row(best)[column])) best = position;
    return best;
  }

  // One column of the panel: exchange, scale, subtract from the panel's other columns; the pass that does so also
  // finds the next pivot.
  void eliminate_column(std::size_t first, std::size_t column, std::size_t width) {
    const std::size_t diagonal = first + column;
    std::swap(order_[diagonal], order_[next_pivot_]);
    std::swap_ranges(panel_row(diagonal), panel_row(diagonal) + width, panel_row(next_pivot_));
    const double* top = panel_row(diagonal);
    require(top[column] != 0, "matrix must have linearly independent columns, but pivot ", diagonal + 1, " of ", r_,
            " vanishes: remove columns that are zero or copies of others, or add rows");
    const std::size_t begin = diagonal + 1;
    std::vector<std::size_t> best(n_tasks(n_ - begin, panel_task_rows), begin);
    parallel_for(best.size(), n_threads_, [&](std::size_t task, int) {
      const std::size_t from = begin + task * panel_task_rows, to = std::min(n_, from + panel_task_rows);
      best[task] = subtract_from_panel(top, column, width, from, to);
    });
    next_pivot_ = begin;
    if (column + 1 == width) return;
    for (const std::size_t candidate : best)
      if (std::abs(panel_row(candidate)[column + 1]) > std::abs(panel_row(next_pivot_)[column + 1]))
        next_pivot_ = candidate;
  }

  std::size_t subtract_from_panel(const double* top, std::size_t column, std::size_t width, std::size_t from,
                                  std::size_t to) {
    const double pivot = top[column];
    std::size_t best = from;
    double largest = -1;
    for (std::size_t position = from; position < to; ++position) {
      double* row = panel_row(position);
      const double multiplier = row[column] / pivot;
      row[column] = multiplier;
      for (std::size_t c = column + 1; c < width; ++c) row[c] -= multiplier * top[c];
      if (column + 1 < width && std::abs(row[column + 1]) > largest) {
        largest = std::abs(row[column + 1]);
        best = position;
      }
    }
    return best;
  }

  // U₁₂ = L₁₁⁻¹ A₁₂, then A₂₂ −= L₂₁ U₁₂.
  void update_trailing(std::size_t first, std::size_t width) {
    const std::size_t begin = first + width, n_columns = r_ - begin;
    std::vector<double> upper(width * n_columns);
    for (std::size_t s = 0; s < width; ++s) {
      double* row = upper.data() + s * n_columns;
      std::copy_n(&a_(order_[first + s], begin), n_columns, row);
      const double* multipliers = panel_row(first + s);
      kernels_.update_rows(&row, &multipliers, 1, upper.data(), s, n_columns);
    }
    parallel_for(n_tasks(n_ - begin, update_task_rows), n_threads_, [&](std::size_t task, int) {
      const std::size_t from = begin + task * update_task_rows, to = std::min(n_, from + update_task_rows);
      double* rows[update_task_rows];
      const double* multipliers[update_task_rows];
      for (std::size_t position = from; position < to; ++position) {
        rows[position - from] = &a_(order_[position], begin);
        multipliers[position - from] = panel_row(position);
      }
      kernels_.update_rows(rows, multipliers, to - from, upper.data(), width, n_columns);
    });
  }

  // x L₁ = b from the last block of columns to the first, for all rows of one task.
  void solve_rows(const std::vector<double>& lower, std::size_t from, std::size_t to) {
    double* rows[update_task_rows];
    const double* multipliers[update_task_rows];
    std::vector<double> block(panel_columns * r_);
    for (std::size_t q = 0; q < to - from; ++q) rows[q] = &a_(order_[from + q], 0);
    for (std::size_t end = r_; end > 0;) {
      const std::size_t first = (end - 1) / panel_columns * panel_columns;
      for (std::size_t q = 0; q < to - from; ++q) {
        for (std::size_t m = end; m-- > first;)
          for (std::size_t c = first; c < m; ++c) rows[q][c] -= rows[q][m] * lower[m * r_ + c];
        multipliers[q] = rows[q] + first;
      }
      for (std::size_t m = first; m < end; ++m)
        std::copy_n(lower.data() + m * r_, first, block.data() + (m - first) * first);
      if (first > 0) kernels_.update_rows(rows, multipliers, to - from, block.data(), end - first, first);
      end = first;
    }
  }

  View2<double> a_;
  std::size_t n_, r_;
  int n_threads_;
  RowKernels kernels_;
  std::vector<std::int64_t> order_;
  std::vector<double> panel_;  // n × panel_columns, by position
  std::size_t next_pivot_ = 0;
};

}  // namespace

void coefficients_of_pivot_rows(View2<double> matrix, View1<std::int64_t> selection, int n_threads) {
  require(matrix.extent(0) >= matrix.extent(1), "matrix must have at least as many rows as columns, got ",
          matrix.extent(0), " × ", matrix.extent(1));
  require(selection.extent(0) == matrix.extent(1), "selection must have ", matrix.extent(1), " entries, got ",
          selection.extent(0));
  if (matrix.empty()) return;
  Elimination elimination(matrix, n_threads);
  elimination.factorize();
  elimination.solve();
  std::copy_n(elimination.order().begin(), selection.extent(0), selection.data());
}

}  // namespace polypace::select
