// Wiring only: one submodule per folder of the core.
#include <pybind11/pybind11.h>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "bindings/bind.hpp"

namespace py = pybind11;

PYBIND11_MODULE(_core, m) {
  m.doc() = "Compiled core of PolyPACE; use the functions of `polypace` instead.";
  m.attr("__version__") = POLYPACE_VERSION;
  py::register_exception<polypace::NumericalError>(m, "NumericalError", PyExc_ArithmeticError);
  m.def("resolve_n_threads", &polypace::resolve_n_threads, py::arg("n_threads"));

  using namespace polypace::bindings;
  bind_neighbors(m.def_submodule("neighbors"));
  bind_ace(m.def_submodule("ace"));
  bind_formats(m.def_submodule("formats"));
  bind_select(m.def_submodule("select"));
  bind_carve(m.def_submodule("carve"));
  bind_dynamics(m.def_submodule("dynamics"));
  bind_structure(m.def_submodule("structure"));
  bind_trajectory(m.def_submodule("trajectory"));
}
