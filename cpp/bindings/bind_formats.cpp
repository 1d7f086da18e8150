// Potentials as data, and their files.
#include <pybind11/stl.h>

#include "ace/basis_generator.hpp"
#include "ace/clebsch_gordan_artefacts.hpp"
#include "ace/coupling.hpp"
#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"
#include "formats/fingerprint.hpp"
#include "formats/formats.hpp"
#include "formats/header_checks.hpp"

namespace polypace::bindings {
namespace {

using namespace ace;

void bind_enumerations(py::module_& m) {
  py::enum_<InnerCutoff>(m, "InnerCutoff")
      .value("density", InnerCutoff::density)
      .value("distance", InnerCutoff::distance)
      .value("zbl", InnerCutoff::zbl);
  py::enum_<EmbeddingKind>(m, "EmbeddingKind")
      .value("FinnisSinclair", EmbeddingKind::finnis_sinclair)
      .value("FinnisSinclairShiftedScaled", EmbeddingKind::finnis_sinclair_shifted_scaled);
}

void set_basis(Bond& bond, const std::string& name) {
  const auto basis = formats::radial_basis_of(name);
  require(basis.has_value(), "Unknown radial basis function name '", name, "'");
  bond.basis = *basis;
  bond.basis_name = name;
}

void set_radial_parameters(Bond& bond, const std::vector<double>& parameters) {
  require(!parameters.empty(), "radial_parameters must hold at least λ");
  bond.radial_parameters = parameters;
  bond.lambda = parameters[0];
}

void bind_parts(py::module_& m) {
  py::class_<Embedding>(m, "Embedding")
      .def(py::init<>())
      .def_readwrite("n_densities", &Embedding::n_densities)
      .def_readwrite("kind", &Embedding::kind)
      .def_readwrite("parameters", &Embedding::parameters)
      .def_readwrite("rho_core_cut", &Embedding::rho_core_cut)
      .def_readwrite("drho_core_cut", &Embedding::drho_core_cut);
  py::class_<Bond>(m, "Bond")
      .def(py::init<>())
      .def_readwrite("defined", &Bond::defined)
      .def_property("basis_name", [](const Bond& bond) { return bond.basis_name; }, &set_basis)
      .def_property("radial_parameters", [](const Bond& bond) { return bond.radial_parameters; }, &set_radial_parameters)
      .def_readwrite("n_max", &Bond::n_max)
      .def_readwrite("l_max", &Bond::l_max)
      .def_readwrite("k_max", &Bond::k_max)
      .def_readwrite("coefficients", &Bond::coefficients)
      .def_readwrite("r_cut", &Bond::r_cut)
      .def_readwrite("d_cut", &Bond::d_cut)
      .def_readwrite("core_prefactor", &Bond::core_prefactor)
      .def_readwrite("core_lambda", &Bond::core_lambda)
      .def_readwrite("r_in", &Bond::r_in)
      .def_readwrite("delta_in", &Bond::delta_in)
      .def_readwrite("inner", &Bond::inner);
  py::class_<BasisFunction>(m, "BasisFunction")
      .def(py::init<>())
      .def_readwrite("mus", &BasisFunction::mus)
      .def_readwrite("ns", &BasisFunction::ns)
      .def_readwrite("ls", &BasisFunction::ls)
      .def_readwrite("lint", &BasisFunction::lint)
      .def_readwrite("coefficients", &BasisFunction::coefficients);
  py::class_<CoupledFunction>(m, "CoupledFunction")
      .def_readonly("mus", &CoupledFunction::mus)
      .def_readonly("ns", &CoupledFunction::ns)
      .def_readonly("ls", &CoupledFunction::ls)
      .def_readonly("ms", &CoupledFunction::ms)
      .def_readonly("weights", &CoupledFunction::weights);
  py::class_<CTildeFunction>(m, "CTildeFunction")
      .def_readonly("mus", &CTildeFunction::mus)
      .def_readonly("ns", &CTildeFunction::ns)
      .def_readonly("ls", &CTildeFunction::ls)
      .def_readonly("ms", &CTildeFunction::ms)
      .def_readonly("ctildes", &CTildeFunction::ctildes);
}

void bind_potentials(py::module_& m) {
  py::class_<PotentialHeader>(m, "PotentialHeader")
      .def_readwrite("elements", &PotentialHeader::elements)
      .def_readwrite("delta_spline_bins", &PotentialHeader::delta_spline_bins)
      .def_readwrite("embeddings", &PotentialHeader::embeddings)
      .def_readwrite("bonds", &PotentialHeader::bonds)
      .def_readwrite("e0", &PotentialHeader::e0);
  py::class_<BPotential, PotentialHeader>(m, "BPotential")
      .def(py::init<>())
      .def("copy", [](const BPotential& potential) { return potential; })
      .def_readwrite("functions", &BPotential::functions)
      .def_readwrite("metadata", &BPotential::metadata)
      .def("sort_canonically", &sort_canonically)
      .def("coupled_functions", &coupled_functions, py::arg("species"))
      .def("to_ctilde", &to_ctilde);
  py::class_<CTildePotential, PotentialHeader>(m, "CTildePotential")
      .def("copy", [](const CTildePotential& potential) { return potential; })
      .def_readonly("functions", &CTildePotential::functions);
}

void bind_generator(py::module_& m) {
  py::class_<BlockRecipe>(m, "BlockRecipe")
      .def(py::init([](int centre, std::vector<int> others, std::vector<int> n_max, std::vector<int> l_max,
                       std::optional<int> n_kept) {
             return BlockRecipe{centre, std::move(others), std::move(n_max), std::move(l_max), n_kept};
           }),
           py::arg("centre"), py::arg("others"), py::arg("n_max"), py::arg("l_max"), py::arg("n_kept") = py::none());
  m.def("clebsch_gordan", &clebsch_gordan, py::arg("l1"), py::arg("m1"), py::arg("l2"), py::arg("m2"), py::arg("l"), py::arg("m"));
  m.def("clebsch_gordan_artefacts", [] {
    std::map<std::array<int, 6>, double> table;
    for (const auto& e : clebsch_gordan_artefacts) table[{e.l1, e.m1, e.l2, e.m2, e.l, e.m1 + e.m2}] = e.value;
    py::dict result;
    for (const auto& [key, value] : table) result[py::tuple(py::cast(key))] = value;
    return result;
  });
  m.def("generate_functions", &generate_functions, py::arg("blocks"), py::call_guard<py::gil_scoped_release>());
}

py::dict asi_arrays(std::map<std::string, formats::SquareMatrix>&& matrices) {
  py::dict arrays;
  for (auto& [symbol, matrix] : matrices) {
    const auto n = static_cast<py::ssize_t>(matrix.n);
    arrays[py::str(symbol)] = to_numpy(std::move(matrix.values), {n, n});
  }
  return arrays;
}

std::map<std::string, formats::SquareMatrix> square_matrices(const std::map<std::string, Array<double>>& arrays) {
  std::map<std::string, formats::SquareMatrix> matrices;
  for (const auto& [symbol, array] : arrays) {
    const auto view = view2(array, symbol);
    require(view.extent(0) == view.extent(1), symbol, " must be a square matrix, got ", view.extent(0), " × ", view.extent(1));
    matrices[symbol] = {view.extent(0), std::vector<double>(view.data(), view.data() + view.size())};
  }
  return matrices;
}

}  // namespace

void bind_formats(py::module_ m) {
  bind_enumerations(m);
  bind_parts(m);
  bind_potentials(m);
  bind_generator(m);
  const auto unlocked = py::call_guard<py::gil_scoped_release>();
  m.def("read_potential", &formats::read_potential, py::arg("path"), unlocked);
  m.def("parse_potential", &formats::parse_potential, py::arg("text"), py::arg("source"), unlocked);
  m.def("read_yaml", &formats::read_yaml, py::arg("path"), unlocked);
  m.def("parse_yaml", &formats::parse_yaml, py::arg("text"), py::arg("source"), unlocked);
  m.def("format_yaml", &formats::format_yaml, py::arg("potential"));
  m.def("write_yaml", &formats::write_yaml, py::arg("potential"), py::arg("path"));
  m.def("read_yace", &formats::read_yace, py::arg("path"), unlocked);
  m.def("parse_yace", &formats::parse_yace, py::arg("text"), py::arg("source"), unlocked);
  m.def("format_yace", &formats::format_yace, py::arg("potential"));
  m.def("write_yace", &formats::write_yace, py::arg("potential"), py::arg("path"));
  m.def("write_asi", [](const std::map<std::string, Array<double>>& arrays, const std::string& path, const std::string& note) {
    formats::write_asi(square_matrices(arrays), path, note);
  }, py::arg("matrices"), py::arg("path"), py::arg("note") = "");
  m.def("read_asi", [](const std::string& path) { return asi_arrays(formats::read_asi(path)); }, py::arg("path"));
  m.def("read_asi_and_note", [](const std::string& path) {
    std::string note;
    auto arrays = asi_arrays(formats::read_asi(path, &note));
    return py::make_tuple(arrays, py::bytes(note));
  }, py::arg("path"));
  m.def("active_set_note", [](const ace::BPotential& potential, bool full) {
    return formats::active_set_note(potential, full ? formats::ActiveSetKind::full : formats::ActiveSetKind::linear);
  }, py::arg("potential"), py::arg("full"));
  m.def("check_active_set_note", &formats::check_active_set_note, py::arg("note"), py::arg("potential"), py::arg("source"));
  m.def("parse_asi", [](const py::bytes& content, const std::string& source) { return asi_arrays(formats::parse_asi(content, source)); },
        py::arg("content"), py::arg("source"));
}

}  // namespace polypace::bindings
