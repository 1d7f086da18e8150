#include <pybind11/stl.h>

#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"
#include "carve/carve.hpp"

namespace polypace::bindings {
namespace {

using carve::CarveOptions;
using carve::Cluster;
using carve::Node;
using carve::System;
using carve::operator-;

System make_system(const Array<double>& positions, const Array<double>& cell, const std::array<bool, 3>& pbc,
                   const Array<std::int64_t>& numbers, const Array<std::int64_t>& bonds,
                   const Array<double>& bond_orders, const Array<double>& cap_lengths, bool united, int max_ring_size,
                   double typical_radius, int n_threads) {
  const carve::SystemInput input{view2(positions, "positions", 3), view1(numbers, "numbers"), view2(bonds, "bonds", 2),
                                 view1(bond_orders, "bond_orders"), view1(cap_lengths, "cap_lengths"), united,
                                 max_ring_size, typical_radius};
  const Cell box = cell_from(cell, pbc);
  py::gil_scoped_release release;
  return carve::make_system(input, box, n_threads);
}

// Arrays of all clusters one after another; row k of cluster c is offsets[c] + k.
template <class T>
class Table {
 public:
  explicit Table(std::size_t columns) : columns_(columns), offsets_{0} {}
  void add(std::initializer_list<T> row) { values_.insert(values_.end(), row); }
  void end_cluster() { offsets_.push_back(static_cast<std::int64_t>(values_.size() / columns_)); }
  py::tuple to_python() {
    const auto n_rows = static_cast<py::ssize_t>(values_.size() / columns_);
    const auto n_offsets = static_cast<py::ssize_t>(offsets_.size());
    return py::make_tuple(to_numpy(std::move(values_), {n_rows, static_cast<py::ssize_t>(columns_)}),
                          to_numpy(std::move(offsets_), {n_offsets}));
  }

 private:
  std::size_t columns_;
  std::vector<T> values_;
  std::vector<std::int64_t> offsets_;
};

// Nodes name cells of wrapped positions; people count cells from the positions that they gave, the leader's first.
Node as_given(const System& system, const Cluster& cluster, const Node& node) {
  return {node.atom, node.shift - (system.home_shifts[node.atom] - system.home_shifts[cluster.leader])};
}

py::dict to_python(const System& system, const std::vector<Cluster>& clusters) {
  // atoms: source atom (−1: cap), cell, bonds lost, core, weighted. cuts: kept place, removed source atom and its cell.
  Table<std::int64_t> atoms(7), bonds(2), cuts(5), caps(1), seeds(1), bridged(1), promoted(1), requests(1);
  Table<double> positions(3), cells(3), scalars(3);
  const auto add_all = [](auto& table, const auto& values) {
    for (const auto& value : values) table.add({static_cast<std::int64_t>(value)});
    table.end_cluster();
  };
  for (const auto& cluster : clusters) {
    for (std::size_t i = 0; i < cluster.n_atoms(); ++i) {
      const Node node = as_given(system, cluster, cluster.nodes[i]);
      const auto& s = node.shift;
      const std::int64_t source = i < cluster.n_kept ? node.atom : -1;
      atoms.add({source, s[0], s[1], s[2], cluster.n_cuts[i], cluster.core[i], cluster.weighted[i]});
      const auto& r = cluster.positions[i];
      positions.add({r[0], r[1], r[2]});
    }
    for (const auto& [a, b] : cluster.bonds) bonds.add({a, b});
    for (const auto& cut : cluster.cuts) {
      const Node node = as_given(system, cluster, cut.removed);
      cuts.add({cut.kept, node.atom, node.shift[0], node.shift[1], node.shift[2]});
    }
    for (const auto& row : cluster.cell) cells.add({row[0], row[1], row[2]});
    scalars.add({cluster.buffer_radius, cluster.closest_contact, cluster.environment_error});
    atoms.end_cluster(), positions.end_cluster(), bonds.end_cluster(), cuts.end_cluster();
    cells.end_cluster(), scalars.end_cluster();
    add_all(caps, cluster.cap_parents), add_all(seeds, cluster.seeds), add_all(requests, cluster.requests);
    add_all(bridged, cluster.bridged), add_all(promoted, cluster.promoted);
  }
  py::dict tables;
  tables["atoms"] = atoms.to_python();
  tables["positions"] = positions.to_python();
  tables["bonds"] = bonds.to_python();
  tables["cuts"] = cuts.to_python();
  tables["cap_parents"] = caps.to_python();
  tables["seeds"] = seeds.to_python();
  tables["requests"] = requests.to_python();
  tables["bridged"] = bridged.to_python();
  tables["promoted"] = promoted.to_python();
  tables["cells"] = cells.to_python();
  tables["scalars"] = scalars.to_python();
  return tables;
}

py::dict carve_clusters(const System& system, const std::vector<std::vector<std::int64_t>>& requests,
                        const CarveOptions& options, int n_threads) {
  std::vector<Cluster> clusters;
  {
    py::gil_scoped_release release;
    clusters = carve::carve_clusters(system, requests, options, n_threads);
  }
  return to_python(system, clusters);
}

CarveOptions make_options(double core_radius, double buffer_radius, int core_bonds, int bridge_length, bool cut_bonds,
                          double intact_radius, bool only_core, int whole_bonds, bool merge, bool periodic,
                          double vacuum, double hydrogen_contact, double other_contact, std::size_t max_atoms,
                          bool shrink, double smallest_buffer) {
  return {{core_radius, buffer_radius, core_bonds, bridge_length, cut_bonds},
          {intact_radius, only_core, whole_bonds},
          merge,
          periodic,
          vacuum,
          hydrogen_contact,
          other_contact,
          max_atoms,
          shrink,
          smallest_buffer};
}

}  // namespace

void bind_carve(py::module_ m) {
  py::class_<System>(m, "System")
      .def(py::init(&make_system), py::kw_only(), py::arg("positions").noconvert(), py::arg("cell").noconvert(),
           py::arg("pbc"), py::arg("numbers").noconvert(), py::arg("bonds").noconvert(),
           py::arg("bond_orders").noconvert(), py::arg("cap_lengths").noconvert(), py::arg("united"),
           py::arg("max_ring_size"), py::arg("typical_radius"), py::arg("n_threads"))
      .def("cuttable_bonds", [](const System& system) {
        auto flags = system.cuttable;
        const auto n = static_cast<py::ssize_t>(flags.size());
        return to_numpy(std::move(flags), {n});
      });
  py::class_<CarveOptions>(m, "CarveOptions")
      .def(py::init(&make_options), py::kw_only(), py::arg("core_radius"), py::arg("buffer_radius"),
           py::arg("core_bonds"), py::arg("bridge_length"), py::arg("cut_bonds"), py::arg("intact_radius"),
           py::arg("only_core"), py::arg("whole_bonds"), py::arg("merge"), py::arg("periodic"), py::arg("vacuum"),
           py::arg("hydrogen_contact"), py::arg("other_contact"), py::arg("max_atoms"), py::arg("shrink"),
           py::arg("smallest_buffer"));
  m.def("carve_clusters", &carve_clusters, py::arg("system"), py::arg("requests"), py::arg("options"),
        py::arg("n_threads") = 0);
}

}  // namespace polypace::bindings
