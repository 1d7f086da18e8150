// Wiring only: one submodule per folder of the core.
#include <pybind11/gil_safe_call_once.h>
#include <pybind11/pybind11.h>

#include <stdexcept>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "bindings/bind.hpp"

namespace py = pybind11;

namespace {

// A class of polypace.errors; kept for good, because errors may still come while the interpreter winds down.
template <class Tag>
py::object& error_class(const char* name) {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> kept;
  return kept.call_once_and_store_result([name] { return py::module_::import("polypace.errors").attr(name); })
      .get_stored();
}

// What the core finds wrong reaches Python as PolyPACE's own errors (each of them a builtin, too).
void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const polypace::NumericalError& error) {
    py::set_error(error_class<polypace::NumericalError>("NumericalError"), error.what());
  } catch (const std::invalid_argument& error) {
    py::set_error(error_class<std::invalid_argument>("InputError"), error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "Compiled core of PolyPACE; use the functions of `polypace` instead.";
  m.attr("__version__") = POLYPACE_VERSION;
  py::register_local_exception_translator(translate);
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
