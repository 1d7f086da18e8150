#include <pybind11/stl.h>

#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"
#include "structure/chain_statistics.hpp"
#include "structure/internal_coordinates.hpp"
#include "structure/pair_histogram.hpp"
#include "structure/structure_factor.hpp"

namespace polypace::bindings {
namespace {

using std::int64_t;

template <class T>
View2<T> rows_of(std::vector<T>& values, std::size_t n) {
  return View2<T>(values.data(), values.size() / n, n);
}

py::ssize_t extent(std::size_t n) { return static_cast<py::ssize_t>(n); }

py::array_t<int64_t> count_pairs(const Array<double>& positions, const Array<std::int32_t>& types,
                                 const Array<double>& cell, const std::array<bool, 3>& pbc, double r_max,
                                 std::size_t n_bins, std::int32_t n_types, int n_threads) {
  const structure::PairBins bins{r_max, n_bins, n_types};
  require(n_bins > 0 && n_types > 0, "n_bins and n_types must be positive, got ", n_bins, " and ", n_types);
  const auto r = view2(positions, "positions", 3);
  const auto type = view1(types, "types");
  const Cell box = cell_from(cell, pbc);
  std::vector<int64_t> counts(bins.n_rows() * n_bins);
  {
    py::gil_scoped_release release;
    structure::count_pairs(r, type, box, bins, rows_of(counts, n_bins), n_threads);
  }
  return to_numpy(std::move(counts), {extent(bins.n_rows()), extent(n_bins)});
}

py::array_t<int64_t> count_molecule_pairs(const Array<double>& positions, const Array<std::int32_t>& types,
                                          const Array<int64_t>& offsets, const Array<int64_t>& members, double r_max,
                                          std::size_t n_bins, std::int32_t n_types, int n_threads) {
  const structure::PairBins bins{r_max, n_bins, n_types};
  require(n_bins > 0 && n_types > 0, "n_bins and n_types must be positive, got ", n_bins, " and ", n_types);
  const auto r = view2(positions, "positions", 3);
  const auto type = view1(types, "types");
  const auto begin = view1(offsets, "offsets"), member = view1(members, "members");
  std::vector<int64_t> counts(bins.n_rows() * n_bins);
  {
    py::gil_scoped_release release;
    structure::count_molecule_pairs(r, type, begin, member, bins, rows_of(counts, n_bins), n_threads);
  }
  return to_numpy(std::move(counts), {extent(bins.n_rows()), extent(n_bins)});
}

py::tuple internal_coordinate_histograms(const Array<double>& positions, const Array<double>& cells,
                                         const std::array<bool, 3>& pbc, const Array<int64_t>& tuples,
                                         const Array<int64_t>& groups, std::size_t n_groups, double low, double width,
                                         std::size_t n_bins, int n_threads) {
  const auto r = view3(positions, "positions");
  const auto boxes = cells_from(cells, pbc);
  const auto tuple = view2(tuples, "tuples");
  const auto group = view1(groups, "groups");
  const std::size_t n = r.extent(0);
  require(n_groups > 0 && n_bins > 0, "there must be groups and bins");
  std::vector<int64_t> counts(n * n_groups * n_bins);
  std::vector<double> moments(n * n_groups * 2);
  {
    py::gil_scoped_release release;
    structure::internal_coordinate_histograms(r, boxes, tuple, group, {low, width, n_bins},
                                              View3<int64_t>(counts.data(), n, n_groups, n_bins),
                                              View3<double>(moments.data(), n, n_groups, 2), n_threads);
  }
  return py::make_tuple(to_numpy(std::move(counts), {extent(n), extent(n_groups), extent(n_bins)}),
                        to_numpy(std::move(moments), {extent(n), extent(n_groups), 2}));
}

py::array_t<double> internal_coordinates(const Array<double>& positions, const Array<double>& cells,
                                         const std::array<bool, 3>& pbc, const Array<int64_t>& tuples, int n_threads) {
  const auto r = view3(positions, "positions");
  const auto boxes = cells_from(cells, pbc);
  const auto tuple = view2(tuples, "tuples");
  std::vector<double> values(r.extent(0) * tuple.extent(0));
  {
    py::gil_scoped_release release;
    structure::internal_coordinates(r, boxes, tuple, View2<double>(values.data(), r.extent(0), tuple.extent(0)),
                                    n_threads);
  }
  return to_numpy(std::move(values), {extent(r.extent(0)), extent(tuple.extent(0))});
}

py::tuple chain_statistics(const Array<double>& positions, const Array<double>& cells, const std::array<bool, 3>& pbc,
                           const Array<int64_t>& offsets, const Array<int64_t>& beads, std::size_t n_separations,
                           int n_threads) {
  const auto r = view3(positions, "positions");
  const auto boxes = cells_from(cells, pbc);
  const auto begin = view1(offsets, "offsets"), bead = view1(beads, "beads");
  require(begin.extent(0) > 1 && boxes.size() == r.extent(0), "there must be chains, and one cell per frame");
  const std::size_t n = r.extent(0), n_chains = begin.extent(0) - 1;
  std::vector<double> end_to_end(n * n_chains), gyration(n * n_chains), internal(n * n_separations);
  {
    py::gil_scoped_release release;
    structure::chain_statistics(r, boxes, begin, bead, View2<double>(end_to_end.data(), n, n_chains),
                                View2<double>(gyration.data(), n, n_chains),
                                View2<double>(internal.data(), n, n_separations), n_threads);
  }
  return py::make_tuple(to_numpy(std::move(end_to_end), {extent(n), extent(n_chains)}),
                        to_numpy(std::move(gyration), {extent(n), extent(n_chains)}),
                        to_numpy(std::move(internal), {extent(n), extent(n_separations)}));
}

py::array_t<double> density_modes(const Array<double>& positions, const Array<std::int32_t>& types,
                                  const Array<double>& cell, const Array<int64_t>& vectors, std::size_t n_types,
                                  int n_threads) {
  const auto r = view2(positions, "positions", 3);
  const auto type = view1(types, "types");
  const Cell box = cell_from(cell, {true, true, true});
  const auto q = view2(vectors, "vectors", 3);
  std::vector<double> densities(n_types * q.extent(0) * 2);
  {
    py::gil_scoped_release release;
    structure::density_modes(r, type, box, q, View3<double>(densities.data(), n_types, q.extent(0), 2), n_threads);
  }
  return to_numpy(std::move(densities), {extent(n_types), extent(q.extent(0)), 2});
}

}  // namespace

void bind_structure(py::module_ m) {
  m.def("count_pairs", &count_pairs, py::arg("positions").noconvert(), py::arg("types").noconvert(),
        py::arg("cell").noconvert(), py::arg("pbc"), py::arg("r_max"), py::arg("n_bins"), py::arg("n_types"),
        py::arg("n_threads") = 0);
  m.def("count_molecule_pairs", &count_molecule_pairs, py::arg("positions").noconvert(), py::arg("types").noconvert(),
        py::arg("offsets").noconvert(), py::arg("members").noconvert(), py::arg("r_max"), py::arg("n_bins"),
        py::arg("n_types"), py::arg("n_threads") = 0);
  m.def("internal_coordinate_histograms", &internal_coordinate_histograms, py::arg("positions").noconvert(),
        py::arg("cells").noconvert(), py::arg("pbc"), py::arg("tuples").noconvert(), py::arg("groups").noconvert(),
        py::arg("n_groups"), py::arg("low"), py::arg("width"), py::arg("n_bins"), py::arg("n_threads") = 0);
  m.def("internal_coordinates", &internal_coordinates, py::arg("positions").noconvert(), py::arg("cells").noconvert(),
        py::arg("pbc"), py::arg("tuples").noconvert(), py::arg("n_threads") = 0);
  m.def("chain_statistics", &chain_statistics, py::arg("positions").noconvert(), py::arg("cells").noconvert(),
        py::arg("pbc"), py::arg("offsets").noconvert(), py::arg("beads").noconvert(), py::arg("n_separations"),
        py::arg("n_threads") = 0);
  m.def("density_modes", &density_modes, py::arg("positions").noconvert(), py::arg("types").noconvert(),
        py::arg("cell").noconvert(), py::arg("vectors").noconvert(), py::arg("n_types"), py::arg("n_threads") = 0);
}

}  // namespace polypace::bindings
