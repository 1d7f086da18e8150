#include "select/pivot_rows.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "select/pivot_panel.hpp"
#include "select/row_updates.hpp"

namespace polypace::select {
namespace {

constexpr std::size_t tile_columns = panel_columns;
constexpr std::size_t chunk_rows = 96;  // of one task: a multiple of the rows that a kernel has in registers

std::size_t n_parts(std::size_t total, std::size_t part) { return (total + part - 1) / part; }

class Elimination {
 public:
  Elimination(View2<double> matrix, int n_threads)
      : m_(matrix), n_(matrix.extent(0)), r_(matrix.extent(1)), kernels_(choose_kernels()), threads_(n_threads),
        swaps_(r_) {}

  // Columns begin … end − 1, of which only these are up to date afterwards.
  void factorise(std::size_t begin, std::size_t end) {
    if (end - begin <= panel_columns) {
      pivot_panel(m_, View1<std::int64_t>(swaps_.data(), r_), begin, end, threads_);
      return;
    }
    const std::size_t middle = begin + n_parts(n_parts(end - begin, 2), panel_columns) * panel_columns;
    factorise(begin, middle);
    subtract(begin, middle, end);
    factorise(middle, end);
  }

  // Rows below the triangle ← rows · L₁⁻¹, from the last tile of columns to the first.
  void divide_by_lower() {
    const std::size_t n_tiles = n_parts(r_, tile_columns);
    std::vector<Tile> tiles(n_tiles);
    threads_.run(n_tiles, [&](std::size_t tile, int) { tiles[tile] = lower_tile(tile * tile_columns); });
    threads_.run(n_parts(n_ - r_, chunk_rows), [&](std::size_t chunk, int) {
      const std::size_t row = r_ + chunk * chunk_rows, n_rows = std::min(chunk_rows, n_ - row);
      for (std::size_t tile = n_tiles; tile-- > 0;) divide_tile(tiles[tile], row, n_rows, tile * tile_columns);
    });
  }

  // The other rows are C by now; every row goes back to where it came from.
  void finish(View1<std::int64_t> selection) {
    std::vector<std::int64_t> order(n_);
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t row = 0; row < r_; ++row) std::swap(order[row], order[swaps_[row]]);
    std::copy_n(order.begin(), r_, selection.data());
    for (std::size_t row = 0; row < r_; ++row) {
      std::fill_n(&m_(row, 0), r_, 0.0);
      m_(row, row) = 1;
    }
    for (std::size_t row = r_; row-- > 0;) {
      const auto other = static_cast<std::size_t>(swaps_[row]);
      if (other != row) std::swap_ranges(&m_(row, 0), &m_(row, 0) + r_, &m_(other, 0));
    }
  }

 private:
  // Of 32 columns of L₁: the rows below the triangle on the diagonal, and minus the inverse of that triangle.
  struct Tile {
    std::vector<double> below;
    std::array<double, tile_columns * tile_columns> negative_inverse;
  };

  std::size_t width(std::size_t column, std::size_t end) const { return std::min(tile_columns, end - column); }

  // Columns middle … end − 1 minus what the columns begin … middle − 1 eliminate, their rows of U first.
  void subtract(std::size_t begin, std::size_t middle, std::size_t end) {
    const std::size_t depth = middle - begin, n_tiles = n_parts(end - middle, tile_columns);
    upper_.assign(n_tiles * depth * tile_columns, 0.0);
    threads_.run(n_tiles, [&](std::size_t tile, int) {
      const std::size_t column = middle + tile * tile_columns;
      double* const upper = upper_.data() + tile * depth * tile_columns;
      for (std::size_t s = 0; s < depth; ++s) {
        double* const row = &m_(begin + s, column);
        kernels_.update_tile(row, &m_(begin + s, begin), upper, s, width(column, end));
        std::copy_n(row, width(column, end), upper + s * tile_columns);
      }
    });
    threads_.run(n_parts(n_ - middle, chunk_rows), [&](std::size_t chunk, int) {
      const std::size_t row = middle + chunk * chunk_rows, n_rows = std::min(chunk_rows, n_ - row);
      for (std::size_t tile = 0; tile < n_tiles; ++tile) {
        const std::size_t column = middle + tile * tile_columns;
        kernels_.update_rows(&m_(row, column), r_, &m_(row, begin), r_, n_rows,
                             upper_.data() + tile * depth * tile_columns, depth, width(column, end));
      }
    });
  }

  Tile lower_tile(std::size_t column) const {
    Tile tile{{}, {}};
    for (std::size_t s = column + tile_columns; s < r_; ++s)
      tile.below.insert(tile.below.end(), &m_(s, column), &m_(s, column) + tile_columns);
    double* const inverse = tile.negative_inverse.data();
    for (std::size_t s = 0; s < width(column, r_); ++s) {
      inverse[s * tile_columns + s] = 1;
      kernels_.update_tile(inverse + s * tile_columns, &m_(column + s, column), inverse, s, tile_columns);
    }
    for (double& value : tile.negative_inverse) value = -value;
    return tile;
  }

  void divide_tile(const Tile& tile, std::size_t row, std::size_t n_rows, std::size_t column) {
    const std::size_t behind = column + tile_columns, n_columns = width(column, r_);
    if (behind < r_)
      kernels_.update_rows(&m_(row, column), r_, &m_(row, behind), r_, n_rows, tile.below.data(), r_ - behind, n_columns);
    std::array<double, chunk_rows * tile_columns> left;
    for (std::size_t i = 0; i < n_rows; ++i) {
      std::copy_n(&m_(row + i, column), n_columns, &left[i * tile_columns]);
      std::fill_n(&m_(row + i, column), n_columns, 0.0);
    }
    kernels_.update_rows(&m_(row, column), r_, left.data(), tile_columns, n_rows, tile.negative_inverse.data(), n_columns,
                         n_columns);
  }

  View2<double> m_;
  std::size_t n_, r_;
  RowKernels kernels_;
  ThreadTeam threads_;
  std::vector<std::int64_t> swaps_;
  std::vector<double> upper_;  // rows of U, tile by tile of 32 columns
};

}  // namespace

void pivot_rows(View2<double> matrix, View1<std::int64_t> selection, int n_threads) {
  const std::size_t n = matrix.extent(0), r = matrix.extent(1);
  require(n >= r && selection.extent(0) == r, "selection must have one row per column of a tall matrix, got ",
          selection.extent(0), " for ", n, " × ", r);
  if (r == 0) return;
  Elimination elimination(matrix, resolve_n_threads(n_threads));
  elimination.factorise(0, r);
  elimination.divide_by_lower();
  elimination.finish(selection);
}

}  // namespace polypace::select
