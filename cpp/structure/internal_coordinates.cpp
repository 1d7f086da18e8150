#include "structure/internal_coordinates.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"
#include "base/threads.hpp"

namespace polypace::structure {
namespace {

constexpr double degrees = 57.29577951308232087680;

class Frame {
 public:
  Frame(const double* r, const Cell& cell) : r_(r), cell_(cell) {}

  Vec3 bond(std::int64_t from, std::int64_t to) const {
    const double *a = r_ + 3 * from, *b = r_ + 3 * to;
    return cell_.wrap_displacement({b[0] - a[0], b[1] - a[1], b[2] - a[2]});
  }

  double value(const std::int64_t* atoms, std::size_t n) const {
    if (n == 2) return norm(bond(atoms[0], atoms[1]));
    if (n == 3) {
      const Vec3 a = bond(atoms[1], atoms[0]), b = bond(atoms[1], atoms[2]);
      return degrees * std::atan2(norm(cross(a, b)), dot(a, b));
    }
    // Blondel & Karplus, J. Comput. Chem. 17, 1132 (1996): no loss of precision near 0 and 180 degrees.
    const Vec3 b1 = bond(atoms[0], atoms[1]), b2 = bond(atoms[1], atoms[2]), b3 = bond(atoms[2], atoms[3]);
    const Vec3 n1 = cross(b1, b2), n2 = cross(b2, b3);
    return degrees * std::atan2(dot(cross(n1, n2), b2) / norm(b2), dot(n1, n2));
  }

 private:
  const double* r_;
  const Cell& cell_;
};

void check_tuples(View3<const double> positions, const std::vector<Cell>& cells, View2<const std::int64_t> tuples) {
  const auto n = tuples.extent(1);
  require(n >= 2 && n <= 4, "tuples must name 2, 3 or 4 atoms each, got ", n);
  require(cells.size() == positions.extent(0), "there must be one cell per frame");
  for (std::size_t k = 0; k < tuples.size(); ++k)
    require(tuples.data()[k] >= 0 && static_cast<std::size_t>(tuples.data()[k]) < positions.extent(1), "tuple ", k / n,
            " names atom ", tuples.data()[k], " of ", positions.extent(1));
}

}  // namespace

void internal_coordinate_histograms(View3<const double> positions, const std::vector<Cell>& cells,
                                    View2<const std::int64_t> tuples, View1<const std::int64_t> groups,
                                    const ValueBins& bins, View3<std::int64_t> counts, View3<double> moments,
                                    int n_threads) {
  check_tuples(positions, cells, tuples);
  const std::size_t n_groups = counts.extent(1), n = tuples.extent(1);
  require(groups.extent(0) == tuples.extent(0), "groups must have one entry per tuple");
  for (std::size_t k = 0; k < groups.extent(0); ++k)
    require(groups(k) >= 0 && static_cast<std::size_t>(groups(k)) < n_groups, "group of tuple ", k, " is ", groups(k));
  require(bins.width > 0 && bins.n_bins > 0, "bins must have a positive width, got ", bins.width);
  parallel_for(positions.extent(0), n_threads, [&](std::size_t f, int) {
    const Frame frame(positions.data() + f * 3 * positions.extent(1), cells[f]);
    std::fill(&counts(f, 0, 0), &counts(f, 0, 0) + n_groups * bins.n_bins, 0);
    std::fill(&moments(f, 0, 0), &moments(f, 0, 0) + 2 * n_groups, 0.0);
    for (std::size_t k = 0; k < tuples.extent(0); ++k) {
      const double value = frame.value(&tuples(k, 0), n);
      const auto group = groups(k);
      moments(f, group, 0) += value;
      moments(f, group, 1) += value * value;
      double scaled = (value - bins.low) / bins.width;
      // A dihedral of exactly 180 degrees is the same as −180.
      if (n == 4 && scaled >= static_cast<double>(bins.n_bins)) scaled -= static_cast<double>(bins.n_bins);
      if (scaled >= 0 && scaled < static_cast<double>(bins.n_bins)) ++counts(f, group, static_cast<std::size_t>(scaled));
    }
  });
}

void internal_coordinates(View3<const double> positions, const std::vector<Cell>& cells,
                          View2<const std::int64_t> tuples, View2<double> values, int n_threads) {
  check_tuples(positions, cells, tuples);
  parallel_for(positions.extent(0), n_threads, [&](std::size_t f, int) {
    const Frame frame(positions.data() + f * 3 * positions.extent(1), cells[f]);
    for (std::size_t k = 0; k < tuples.extent(0); ++k) values(f, k) = frame.value(&tuples(k, 0), tuples.extent(1));
  });
}

}  // namespace polypace::structure
