#include <pybind11/stl.h>

#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"
#include "trajectory/unwrap.hpp"

namespace polypace::bindings {
namespace {

using trajectory::BondTree;
using trajectory::LongestStep;
using trajectory::WalkState;

View3<double> writable3(Array<double>& array, const std::string& name) {
  const auto view = view3(array, name);
  return View3<double>(array.mutable_data(), view.extent(0), view.extent(1), view.extent(2));
}

py::tuple to_tuple(const LongestStep& step) { return py::make_tuple(step.fraction, step.frame, step.first, step.second); }

BondTree bond_tree(const Array<std::int64_t>& bonds, std::size_t n_atoms) {
  return trajectory::make_bond_tree(view2(bonds, "bonds", 2), n_atoms);
}

py::tuple make_whole(Array<double> positions, const Array<double>& cells, const std::array<bool, 3>& pbc,
                     const BondTree& tree, int n_threads) {
  const auto r = writable3(positions, "positions");
  const auto boxes = cells_from(cells, pbc);
  require(boxes.size() == r.extent(0), "there must be one cell per frame");
  py::gil_scoped_release release;
  const auto step = trajectory::make_whole(r, boxes, tree, n_threads);
  py::gil_scoped_acquire acquire;
  return to_tuple(step);
}

py::array_t<double> molecule_centers(const Array<double>& positions, const Array<std::int64_t>& molecules,
                                     const Array<double>& weights, std::size_t n_molecules, int n_threads) {
  const auto r = view3(positions, "positions");
  const auto molecule = view1(molecules, "molecules");
  const auto weight = view1(weights, "weights");
  require(molecule.extent(0) == r.extent(1) && weight.extent(0) == r.extent(1),
          "molecules and weights must have one entry per atom");
  std::vector<double> centers(r.extent(0) * n_molecules * 3);
  {
    py::gil_scoped_release release;
    trajectory::molecule_centers(r, molecule, weight, View3<double>(centers.data(), r.extent(0), n_molecules, 3),
                                 n_threads);
  }
  return to_numpy(std::move(centers), {static_cast<py::ssize_t>(r.extent(0)), static_cast<py::ssize_t>(n_molecules), 3});
}

py::tuple walk_toroidally(Array<double> sites, const Array<double>& cells, const Array<double>& origins,
                          const std::array<bool, 3>& pbc, bool images_known, WalkState& state, int n_threads) {
  const auto r = writable3(sites, "sites");
  const auto boxes = cells_from(cells, pbc);
  const auto corner = view2(origins, "origins", 3);
  require(boxes.size() == r.extent(0) && corner.extent(0) == r.extent(0), "there must be one cell and origin per frame");
  py::gil_scoped_release release;
  const auto step = trajectory::walk_toroidally(r, boxes, corner, images_known, state, n_threads);
  py::gil_scoped_acquire acquire;
  return to_tuple(step);
}

}  // namespace

void bind_unwrap(py::module_ m) {
  py::class_<BondTree>(m, "BondTree");
  py::class_<WalkState>(m, "WalkState").def(py::init<>()).def("copy", [](const WalkState& state) { return state; });
  m.def("make_bond_tree", &bond_tree, py::arg("bonds").noconvert(), py::arg("n_atoms"));
  m.def("make_whole", &make_whole, py::arg("positions").noconvert(), py::arg("cells").noconvert(), py::arg("pbc"),
        py::arg("tree"), py::arg("n_threads") = 0);
  m.def("molecule_centers", &molecule_centers, py::arg("positions").noconvert(), py::arg("molecules").noconvert(),
        py::arg("weights").noconvert(), py::arg("n_molecules"), py::arg("n_threads") = 0);
  m.def("walk_toroidally", &walk_toroidally, py::arg("sites").noconvert(), py::arg("cells").noconvert(),
        py::arg("origins").noconvert(), py::arg("pbc"), py::arg("images_known"), py::arg("state"),
        py::arg("n_threads") = 0);
}

}  // namespace polypace::bindings
