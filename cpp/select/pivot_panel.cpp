#include "select/pivot_panel.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "select/row_updates.hpp"

namespace polypace::select {
namespace {

constexpr std::size_t tile_rows = 32;   // of one call of a kernel
constexpr std::size_t task_tiles = 32;  // of one task

struct Pivot {
  std::size_t row = 0;  // of the panel
  double size = 0;
};

// The panel in tiles of 32 rows, each column by column, so that a column of a tile and those before it are read in one
// go. A row that was pivot moves to `top_` and leaves zeros, which stay zeros and are never chosen.
class Panel {
 public:
  Panel(View2<double> matrix, std::size_t first, std::size_t last, ThreadTeam& threads)
      : matrix_(matrix), first_(first), width_(last - first), n_rows_(matrix.extent(0) - first),
        n_tiles_((n_rows_ + tile_rows - 1) / tile_rows), n_tasks_((n_tiles_ + task_tiles - 1) / task_tiles),
        kernels_(choose_kernels()), threads_(threads), values_(n_tiles_ * width_ * tile_rows), top_(width_ * width_), found_(n_tasks_) {
    for_tiles([&](std::size_t tile, std::size_t) {
      for (std::size_t lane = 0; lane < rows_of(tile); ++lane) copy_row(tile, lane, [](double& a, double& b) { b = a; });
    });
  }

  std::size_t width() const { return width_; }
  double top(std::size_t row, std::size_t column) const { return top_[row * width_ + column]; }

  // Brings column c up to date, finds its pivot, and takes that row out.
  Pivot eliminate(std::size_t c) {
    double multipliers[panel_columns];
    for (std::size_t s = 0; s < c; ++s) multipliers[s] = top(s, c);
    std::fill(found_.begin(), found_.end(), Pivot{});
    for_tiles([&](std::size_t tile, std::size_t task) {
      if (c > 0) divide(tile, c - 1);
      const double size = kernels_.update_tile(column(tile, c), multipliers, column(tile, 0), c, tile_rows);
      if (size > found_[task].size) found_[task] = {tile, size};
    });
    Pivot pivot;
    for (const Pivot& candidate : found_)
      if (candidate.size > pivot.size) pivot = candidate;
    if (pivot.size == 0) return pivot;
    const std::size_t tile = pivot.row;
    pivot.row = tile * tile_rows + kernels_.largest_column(column(tile, c), tile_rows);
    take_out(pivot.row, c);
    return pivot;
  }

  // Every row to its own place in the matrix; pivot rows are zeros there.
  void write_back() {
    for_tiles([&](std::size_t tile, std::size_t) {
      divide(tile, width_ - 1);
      for (std::size_t lane = 0; lane < rows_of(tile); ++lane) copy_row(tile, lane, [](double& a, double& b) { a = b; });
    });
  }

 private:
  double* column(std::size_t tile, std::size_t c) { return values_.data() + (tile * width_ + c) * tile_rows; }
  std::size_t rows_of(std::size_t tile) const { return std::min(tile_rows, n_rows_ - tile * tile_rows); }

  template <class Body>
  void for_tiles(const Body& body) {
    threads_.run(n_tasks_, [&](std::size_t task, int) {
      const std::size_t end = std::min(n_tiles_, (task + 1) * task_tiles);
      for (std::size_t tile = task * task_tiles; tile < end; ++tile) body(tile, task);
    });
  }

  template <class Copy>
  void copy_row(std::size_t tile, std::size_t lane, const Copy& copy) {
    double* row = &matrix_(first_ + tile * tile_rows + lane, first_);
    double* own = column(tile, 0) + lane;
    for (std::size_t c = 0; c < width_; ++c) copy(row[c], own[c * tile_rows]);
  }

  void divide(std::size_t tile, std::size_t c) {
    const double pivot = top(c, c);
    double* values = column(tile, c);
    for (std::size_t lane = 0; lane < tile_rows; ++lane) values[lane] /= pivot;
  }

  void take_out(std::size_t row, std::size_t c) {
    double* own = column(row / tile_rows, 0) + row % tile_rows;
    double* target = &top_[c * width_];
    for (std::size_t j = 0; j < width_; ++j) target[j] = std::exchange(own[j * tile_rows], 0.0);
    for (std::size_t j = c + 1; j < width_; ++j)
      for (std::size_t s = 0; s < c; ++s) target[j] -= target[s] * top(s, j);
  }

  View2<double> matrix_;
  std::size_t first_, width_, n_rows_, n_tiles_, n_tasks_;
  RowKernels kernels_;
  ThreadTeam& threads_;
  std::vector<double> values_;  // tiles × columns × 32 rows
  std::vector<double> top_;     // pivot rows: L, then U from the diagonal on
  std::vector<Pivot> found_;    // largest of each task, with the tile in place of the row
};

}  // namespace

void pivot_panel(View2<double> matrix, View1<std::int64_t> swaps, std::size_t first, std::size_t last,
                 ThreadTeam& threads) {
  const std::size_t n_columns = matrix.extent(1);
  Panel panel(matrix, first, last, threads);
  std::vector<std::size_t> pivots;
  for (std::size_t c = 0; c < panel.width(); ++c) {
    const Pivot pivot = panel.eliminate(c);
    require(pivot.size > 0, "matrix must have linearly independent columns, but pivot ", first + c + 1, " of ",
            n_columns, " vanishes: remove columns that are zero or copies of others, or add rows");
    pivots.push_back(first + pivot.row);
  }
  panel.write_back();
  for (std::size_t c = 0; c < panel.width(); ++c)
    for (std::size_t j = 0; j < panel.width(); ++j) matrix(pivots[c], first + j) = panel.top(c, j);
  for (std::size_t c = 0; c < panel.width(); ++c) {
    std::size_t row = pivots[c];
    for (std::size_t earlier = 0; earlier < c; ++earlier)  // which may have moved it
      if (row == first + earlier) row = static_cast<std::size_t>(swaps(row));
    swaps(first + c) = static_cast<std::int64_t>(row);
    if (row != first + c) std::swap_ranges(&matrix(row, 0), &matrix(row, 0) + n_columns, &matrix(first + c, 0));
  }
}

}  // namespace polypace::select
