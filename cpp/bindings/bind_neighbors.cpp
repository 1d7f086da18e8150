#include <pybind11/stl.h>

#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"
#include "neighbors/neighbor_list.hpp"

namespace polypace::bindings {
namespace {

py::tuple neighbor_list(const Array<double>& positions, const Array<double>& cell, const std::array<bool, 3>& pbc,
                        double cutoff, int n_threads) {
  const auto r = view2(positions, "positions", 3);
  const Cell box = cell_from(cell, pbc);
  neighbors::NeighborList list;
  {
    py::gil_scoped_release release;
    list = neighbors::build_neighbor_list(r, box, cutoff, n_threads);
  }
  const auto n_pairs = static_cast<py::ssize_t>(list.neighbors.size());
  std::vector<std::int32_t> shifts(3 * n_pairs);
  std::vector<double> displacements(3 * n_pairs);
  for (py::ssize_t pair = 0; pair < n_pairs; ++pair)
    for (int d = 0; d < 3; ++d) {
      shifts[3 * pair + d] = list.shifts[pair][d];
      displacements[3 * pair + d] = list.displacements[pair][d];
    }
  const auto n_offsets = static_cast<py::ssize_t>(list.offsets.size());
  return py::make_tuple(to_numpy(std::move(list.offsets), {n_offsets}), to_numpy(std::move(list.neighbors), {n_pairs}),
                        to_numpy(std::move(shifts), {n_pairs, 3}), to_numpy(std::move(displacements), {n_pairs, 3}));
}

}  // namespace

void bind_neighbors(py::module_ m) {
  m.def("neighbor_list", &neighbor_list, py::arg("positions").noconvert(), py::arg("cell").noconvert(), py::arg("pbc"),
        py::arg("cutoff"), py::arg("n_threads") = 0);
}

}  // namespace polypace::bindings
