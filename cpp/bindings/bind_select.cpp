#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"
#include "select/maxvol.hpp"
#include "select/pivot_rows.hpp"

namespace polypace::bindings {
namespace {

View2<double> changed(Array<double>& matrix, const char* name) {
  view2(matrix, name);
  return View2<double>(matrix.mutable_data(), matrix.shape(0), matrix.shape(1));
}

View1<std::int64_t> changed(Array<std::int64_t>& rows, const char* name) {
  view1(rows, name);
  return View1<std::int64_t>(rows.mutable_data(), rows.shape(0));
}

py::tuple exchange_rows(Array<double>& coefficients, Array<std::int64_t>& selection, double tolerance,
                        std::size_t max_swaps, int n_threads) {
  const auto c = changed(coefficients, "coefficients");
  const auto rows = changed(selection, "selection");
  select::MaxVolOutcome outcome;
  {
    py::gil_scoped_release release;
    outcome = select::exchange_rows(c, rows, tolerance, max_swaps, n_threads);
  }
  return py::make_tuple(outcome.largest, outcome.n_swaps, outcome.converged);
}

py::array_t<std::int64_t> pivot_rows(Array<double>& matrix, int n_threads) {
  const auto values = changed(matrix, "matrix");
  py::array_t<std::int64_t> selection(static_cast<py::ssize_t>(values.extent(1)));
  const View1<std::int64_t> rows(selection.mutable_data(), values.extent(1));
  {
    py::gil_scoped_release release;
    select::pivot_rows(values, rows, n_threads);
  }
  return selection;
}

}  // namespace

void bind_select(py::module_ m) {
  m.def("exchange_rows", &exchange_rows, py::arg("coefficients").noconvert(), py::arg("selection").noconvert(),
        py::arg("tolerance"), py::arg("max_swaps"), py::arg("n_threads") = 0,
        "Exchange rows until max|C| ≤ tolerance; returns (max|C|, number of exchanges, converged). C is used up.");
  m.def("pivot_rows", &pivot_rows, py::arg("matrix").noconvert(), py::arg("n_threads") = 0,
        "Pivot rows of the LU factorisation of A, which becomes C = A·A_selected⁻¹.");
}

}  // namespace polypace::bindings
