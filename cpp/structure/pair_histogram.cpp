#include "structure/pair_histogram.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "structure/pair_kernel.hpp"

namespace polypace::structure {
namespace {

PairKernel best_kernel() {
#ifdef POLYPACE_PAIR_KERNEL_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::count_run;
#endif
  return portable::count_run;
}

// Histograms of one thread. Counts are small integers that are emptied into large ones before they can overflow.
class Tally {
 public:
  explicit Tally(const PairBins& bins)
      : stride_(bins.n_bins + 1), n_bins_(bins.n_bins), small_(bins.n_rows() * stride_),
        large_(bins.n_rows() * bins.n_bins) {}

  std::uint32_t* room_for(std::size_t n_pairs) {
    if (n_pairs > free_) flush();
    require(n_pairs <= free_, "one cell of atoms has too many pairs to count: ", n_pairs);
    free_ -= n_pairs;
    return small_.data();
  }

  void add_to(View2<std::int64_t> counts) {
    flush();
    for (std::size_t k = 0; k < large_.size(); ++k) counts.data()[k] += large_[k];
  }

 private:
  void flush() {
    for (std::size_t row = 0; row * stride_ < small_.size(); ++row) {
      // sqrt(r²)·(1/width) of r just below r_max may round up to n_bins.
      small_[row * stride_ + n_bins_ - 1] += small_[row * stride_ + n_bins_];
      for (std::size_t bin = 0; bin < n_bins_; ++bin) large_[row * n_bins_ + bin] += small_[row * stride_ + bin];
    }
    std::fill(small_.begin(), small_.end(), 0u);
    free_ = capacity;
  }

  static constexpr std::size_t capacity = 2'000'000'000;
  std::size_t stride_, n_bins_, free_ = capacity;
  std::vector<std::uint32_t> small_;
  std::vector<std::int64_t> large_;
};

std::vector<std::int32_t> row_table(const PairBins& bins) {
  const auto n = bins.n_types;
  std::vector<std::int32_t> rows(static_cast<std::size_t>(n) * n);
  std::int32_t row = 0;
  for (std::int32_t a = 0; a < n; ++a)
    for (std::int32_t b = a; b < n; ++b, ++row)
      rows[a * n + b] = rows[b * n + a] = row * static_cast<std::int32_t>(bins.n_bins + 1);
  return rows;
}

void check(View2<const double> positions, View1<const std::int32_t> types, const PairBins& bins,
           View2<std::int64_t> counts) {
  require(std::isfinite(bins.r_max) && bins.r_max > 0, "r_max must be positive and finite, got ", bins.r_max);
  require(bins.n_bins > 0 && bins.n_types > 0 && bins.n_rows() * (bins.n_bins + 1) < (1u << 30),
          "there must be bins and types, and not too many, got ", bins.n_bins, " and ", bins.n_types);
  require(positions.extent(1) == 3, "positions must have 3 columns, got ", positions.extent(1));
  require(types.extent(0) == positions.extent(0), "types must have one entry per atom, got ", types.extent(0));
  require(counts.extent(0) == bins.n_rows() && counts.extent(1) == bins.n_bins, "counts must have shape (",
          bins.n_rows(), ", ", bins.n_bins, ")");
  for (std::size_t i = 0; i < types.extent(0); ++i) {
    require(types(i) >= 0 && types(i) < bins.n_types, "type of atom ", i, " is ", types(i), " of ", bins.n_types);
    require(std::isfinite(positions(i, 0)) && std::isfinite(positions(i, 1)) && std::isfinite(positions(i, 2)),
            "position of atom ", i, " must be finite");
  }
}

// Atoms sorted into a grid of cells, the last direction fastest, so that a range of cells along it is one run.
class Grid {
 public:
  Grid(View2<const double> positions, View1<const std::int32_t> types, const Cell& cell, double r_max)
      : cell_(cell), r_max_(r_max) {
    const std::size_t n_atoms = positions.extent(0);
    std::vector<Vec3> fractional = wrap(positions);
    choose_cells(n_atoms);
    std::vector<std::size_t> home(n_atoms);
    offsets_.assign(n_cells(), 0);
    offsets_.push_back(0);
    for (std::size_t i = 0; i < n_atoms; ++i) {
      std::size_t index = 0;
      for (int d = 0; d < 3; ++d) {
        const double scaled = (fractional[i][d] - low_[d]) / length_[d] * n_[d];
        index = index * n_[d] + static_cast<std::size_t>(std::clamp(static_cast<int>(scaled), 0, n_[d] - 1));
      }
      home[i] = index;
      ++offsets_[index + 1];
    }
    for (std::size_t c = 0; c < n_cells(); ++c) offsets_[c + 1] += offsets_[c];
    auto cursor = offsets_;
    for (auto* values : {&x_, &y_, &z_}) values->resize(n_atoms);
    types_.resize(n_atoms);
    for (std::size_t i = 0; i < n_atoms; ++i) {
      const std::size_t k = cursor[home[i]]++;
      const Vec3 r = cell_.cartesian(fractional[i]);
      x_[k] = r[0], y_[k] = r[1], z_[k] = r[2];
      types_[k] = types(i);
    }
  }

  std::size_t n_columns() const { return static_cast<std::size_t>(n_[0]) * n_[1]; }

  // All pairs whose first atom lies in one column of cells along the last direction.
  void count_column(std::size_t column, PairRun run, PairKernel kernel, Tally& tally) const {
    const int cx = static_cast<int>(column) / n_[1], cy = static_cast<int>(column) % n_[1];
    run.x = x_.data(), run.y = y_.data(), run.z = z_.data(), run.types = types_.data();
    // Half of the offsets: (dx, dy, dz) > (0, 0, 0) in lexicographic order, and the atoms behind i in its own cell.
    for (int dx = 0; dx <= reach_[0]; ++dx)
      for (int dy = dx == 0 ? 0 : -reach_[1]; dy <= reach_[1]; ++dy) {
        const int reach_z = reach_along_z(dx, dy);
        if (reach_z < 0) continue;
        for (int cz = 0; cz < n_[2]; ++cz) {
          const std::size_t home = column * n_[2] + cz;
          run.i_begin = offsets_[home], run.i_end = offsets_[home + 1];
          if (run.i_begin == run.i_end) continue;
          count_runs({cx + dx, cy + dy}, dx == 0 && dy == 0 ? cz : cz - reach_z, cz + reach_z, dx == 0 && dy == 0, run,
                     kernel, tally);
        }
      }
  }

 private:
  std::size_t n_cells() const { return n_columns() * n_[2]; }

  std::vector<Vec3> wrap(View2<const double> positions) {
    std::vector<Vec3> fractional(positions.extent(0));
    Vec3 high{};
    for (std::size_t i = 0; i < fractional.size(); ++i) {
      Vec3& s = fractional[i];
      s = cell_.fractional({positions(i, 0), positions(i, 1), positions(i, 2)});
      for (int d = 0; d < 3; ++d) {
        if (cell_.pbc()[d]) s[d] -= std::floor(s[d]);
        low_[d] = i == 0 ? s[d] : std::min(low_[d], s[d]);
        high[d] = i == 0 ? s[d] : std::max(high[d], s[d]);
      }
    }
    for (int d = 0; d < 3; ++d) {
      if (cell_.pbc()[d]) low_[d] = 0, length_[d] = 1;
      else length_[d] = std::max((high[d] - low_[d]) * (1 + 1e-12), 1e-12);
    }
    return fractional;
  }

  void choose_cells(std::size_t n_atoms) {
    double volume = cell_.volume();
    for (int d = 0; d < 3; ++d) volume *= length_[d];
    // Cells of about four atoms: fewer empty corners than with large ones, longer runs than with small ones.
    const double edge = std::clamp(std::cbrt(4 * volume / std::max<std::size_t>(n_atoms, 1)), r_max_ / 4, r_max_);
    const int most = static_cast<int>(std::cbrt(8.0 * static_cast<double>(n_atoms))) + 1;
    for (int d = 0; d < 3; ++d) {
      const double height = cell_.height(d) * length_[d];
      n_[d] = std::clamp(static_cast<int>(std::min(height / edge, 1e6)), 1, most);
      width_[d] = height / n_[d];
      reach_[d] = static_cast<int>(std::min(std::ceil(r_max_ / width_[d]), 1e6));
      if (!cell_.pbc()[d]) reach_[d] = std::min(reach_[d], n_[d] - 1);
    }
    const auto& h = cell_.rows();
    orthogonal_ = std::abs(dot(h[0], h[1])) + std::abs(dot(h[1], h[2])) + std::abs(dot(h[2], h[0])) == 0;
  }

  // How many cells along z can hold a neighbour at (dx, dy) cells; −1: none.
  int reach_along_z(int dx, int dy) const {
    if (!orthogonal_) return reach_[2];
    const double gap_x = std::max(0, std::abs(dx) - 1) * width_[0], gap_y = std::max(0, std::abs(dy) - 1) * width_[1];
    const double left = r_max_ * r_max_ - gap_x * gap_x - gap_y * gap_y;
    return left <= 0 ? -1 : std::min(reach_[2], static_cast<int>(std::sqrt(left) / width_[2]) + 1);
  }

  // The cells z_low…z_high of one column offset: runs between the places where the box repeats.
  void count_runs(std::array<int, 2> place, int z_low, int z_high, bool own_column, PairRun& run, PairKernel kernel,
                  Tally& tally) const {
    std::array<int, 3> image{};
    std::size_t column = 0;
    for (int d = 0; d < 2; ++d) {
      image[d] = place[d] >= 0 ? place[d] / n_[d] : -((n_[d] - 1 - place[d]) / n_[d]);
      if (image[d] != 0 && !cell_.pbc()[d]) return;
      column = column * n_[d] + static_cast<std::size_t>(place[d] - image[d] * n_[d]);
    }
    for (int z = z_low; z <= z_high;) {
      image[2] = z >= 0 ? z / n_[2] : -((n_[2] - 1 - z) / n_[2]);
      const int end = std::min(z_high + 1, (image[2] + 1) * n_[2]);
      if (image[2] == 0 || cell_.pbc()[2]) {
        run.j_begin = offsets_[column * n_[2] + (z - image[2] * n_[2])];
        run.j_end = offsets_[column * n_[2] + (end - image[2] * n_[2])];
        run.after_i = own_column && z == z_low;
        for (int d = 0; d < 3; ++d)
          run.shift[d] = image[0] * cell_.rows()[0][d] + image[1] * cell_.rows()[1][d] + image[2] * cell_.rows()[2][d];
        run.histogram = tally.room_for((run.i_end - run.i_begin) * (run.j_end - run.j_begin));
        if (run.j_begin < run.j_end) kernel(run);
      }
      z = end;
    }
  }

  const Cell& cell_;
  double r_max_;
  Vec3 low_{}, length_{1, 1, 1}, width_{};
  std::array<int, 3> n_{}, reach_{};
  bool orthogonal_ = false;
  std::vector<std::size_t> offsets_;
  std::vector<double> x_, y_, z_;
  std::vector<std::int32_t> types_;
};

PairRun empty_run(const PairBins& bins, const std::vector<std::int32_t>& rows) {
  PairRun run{};
  run.r2_max = bins.r_max * bins.r_max;
  run.inverse_width = static_cast<double>(bins.n_bins) / bins.r_max;
  run.rows = rows.data();
  run.n_types = bins.n_types;
  return run;
}

}  // namespace

void count_pairs(View2<const double> positions, View1<const std::int32_t> types, const Cell& cell, const PairBins& bins,
                 View2<std::int64_t> counts, int n_threads) {
  check(positions, types, bins, counts);
  if (positions.extent(0) == 0) return;
  const Grid grid(positions, types, cell, bins.r_max);
  const auto rows = row_table(bins);
  const auto kernel = best_kernel();
  std::vector<Tally> tallies(static_cast<std::size_t>(resolve_n_threads(n_threads)), Tally(bins));
  parallel_for(grid.n_columns(), n_threads, [&](std::size_t column, int thread) {
    grid.count_column(column, empty_run(bins, rows), kernel, tallies[static_cast<std::size_t>(thread)]);
  });
  for (auto& tally : tallies) tally.add_to(counts);
}

void count_molecule_pairs(View2<const double> positions, View1<const std::int32_t> types,
                          View1<const std::int64_t> offsets, View1<const std::int64_t> members, const PairBins& bins,
                          View2<std::int64_t> counts, int n_threads) {
  check(positions, types, bins, counts);
  require(offsets.extent(0) > 0, "offsets must have one entry more than there are molecules");
  const std::size_t n_molecules = offsets.extent(0) - 1;
  const auto rows = row_table(bins);
  const auto kernel = best_kernel();
  std::vector<Tally> tallies(static_cast<std::size_t>(resolve_n_threads(n_threads)), Tally(bins));
  parallel_for(n_molecules, n_threads, [&](std::size_t molecule, int thread) {
    const auto begin = offsets(molecule), end = offsets(molecule + 1);
    require(begin >= 0 && begin <= end && static_cast<std::size_t>(end) <= members.extent(0),
            "offsets of molecule ", molecule, " leave the list of members");
    const auto n = static_cast<std::size_t>(end - begin);
    std::vector<double> x(n), y(n), z(n);
    std::vector<std::int32_t> type(n);
    for (std::size_t k = 0; k < n; ++k) {
      const auto atom = members(begin + k);
      require(atom >= 0 && static_cast<std::size_t>(atom) < positions.extent(0), "member ", atom, " is not an atom");
      x[k] = positions(atom, 0), y[k] = positions(atom, 1), z[k] = positions(atom, 2);
      type[k] = types(atom);
    }
    auto run = empty_run(bins, rows);
    run.x = x.data(), run.y = y.data(), run.z = z.data(), run.types = type.data();
    run.j_end = n;
    run.after_i = true;
    auto& tally = tallies[static_cast<std::size_t>(thread)];
    for (std::size_t i = 0; i < n; ++i) {
      run.i_begin = i, run.i_end = i + 1;
      run.histogram = tally.room_for(n);
      kernel(run);
    }
  });
  for (auto& tally : tallies) tally.add_to(counts);
}

}  // namespace polypace::structure
