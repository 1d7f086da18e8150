#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"
#include "select/maxvol.hpp"

namespace polypace::bindings {
namespace {

py::tuple exchange_rows(Array<double>& coefficients, Array<std::int64_t>& selection, double tolerance,
                        std::size_t max_swaps, int n_threads) {
  view2(coefficients, "coefficients");
  view1(selection, "selection");
  const View2<double> c(coefficients.mutable_data(), coefficients.shape(0), coefficients.shape(1));
  const View1<std::int64_t> rows(selection.mutable_data(), selection.shape(0));
  select::MaxVolOutcome outcome;
  {
    py::gil_scoped_release release;
    outcome = select::exchange_rows(c, rows, tolerance, max_swaps, n_threads);
  }
  return py::make_tuple(outcome.largest, outcome.n_swaps, outcome.converged);
}

}  // namespace

void bind_select(py::module_ m) {
  m.def("exchange_rows", &exchange_rows, py::arg("coefficients").noconvert(), py::arg("selection").noconvert(),
        py::arg("tolerance"), py::arg("max_swaps"), py::arg("n_threads") = 0,
        "Exchange rows in place until max|C| ≤ tolerance; returns (max|C|, number of exchanges, converged).");
}

}  // namespace polypace::bindings
