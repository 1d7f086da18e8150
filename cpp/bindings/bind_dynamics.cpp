#include <pybind11/stl.h>

#include <array>
#include <optional>

#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"
#include "dynamics/crew.hpp"
#include "dynamics/direct.hpp"
#include "dynamics/displacement.hpp"
#include "dynamics/fft_plan.hpp"
#include "dynamics/group_moments.hpp"
#include "dynamics/series.hpp"
#include "dynamics/spectrum.hpp"

namespace polypace::bindings {
namespace {

using dynamics::Crew;
using dynamics::FftPlan;
using Sums = Array<double>;

// Coordinates of any strides, so that atom-major arrays, selections and memory maps are read where they are.
std::pair<dynamics::Source, dynamics::Layout> source_from(const py::array& positions,
                                                          const std::optional<Array<double>>& drift) {
  require(positions.ndim() == 3 && positions.shape(2) == 3, "positions must be (n_frames, n_particles, 3)");
  const bool single = py::isinstance<py::array_t<float>>(positions);
  require(single || py::isinstance<py::array_t<double>>(positions), "positions must be float32 or float64");
  const py::ssize_t item = positions.itemsize();
  for (int d = 0; d < 3; ++d) require(positions.strides(d) % item == 0, "positions must be aligned to its items");
  dynamics::Source source;
  source.data = positions.data();
  source.single_precision = single;
  source.frame_stride = positions.strides(0) / item;
  source.n_frames = positions.shape(0);
  if (drift) {
    const auto view = view2(*drift, "drift", 3);
    require(static_cast<std::int64_t>(view.extent(0)) == source.n_frames, "drift must have one row for each frame");
    source.drift = view.data();
  }
  return {source, {positions.shape(1), positions.strides(1) / item, positions.strides(2) / item}};
}

// Sums to be added to. Blocks above the largest that the C library uses again are new and zero.
py::array_t<double> zeros(Crew& crew, py::ssize_t n_rows, py::ssize_t n_columns) {
  constexpr py::ssize_t used_again = 32 << 20;
  const std::array<py::ssize_t, 2> shape{n_rows, n_columns};
  const bool fresh = n_rows * n_columns * py::ssize_t{sizeof(double)} > used_again;
  auto result = fresh ? py::array_t<double>(py::module_::import("numpy").attr("zeros")(shape))
                      : py::array_t<double>(shape);
  double* values = result.mutable_data();
  const py::ssize_t n = result.size();
  py::gil_scoped_release release;
  fresh ? crew.claim(values, n) : crew.clear(values, n);
  return result;
}

void check_sums(const Sums& sums, const char* name, py::ssize_t n_segments, std::int64_t extent) {
  require(sums.ndim() == 2 && sums.shape(0) == n_segments && sums.shape(1) == extent, name, " must be ", n_segments,
          " × ", extent);
}

void add_power_spectra(const FftPlan& plan, const py::array& positions, const Array<std::int64_t>& particles,
                       const Array<std::int64_t>& segments, const std::optional<Array<double>>& drift, bool centered,
                       Sums spectra, Sums squares, std::int64_t work_bytes,
                       const std::string& instruction_set, Crew& crew) {
  const auto [source, layout] = source_from(positions, drift);
  const auto n_segments = spectra.shape(0);
  check_sums(spectra, "spectra", n_segments, plan.spectrum_size());
  check_sums(squares, "squares", n_segments, plan.n_frames());
  const auto chosen = view1(particles, "particles");
  const auto sums = view3(segments, "segments");
  double* spectra_data = spectra.mutable_data();
  double* squares_data = squares.mutable_data();
  py::gil_scoped_release release;
  const auto series = dynamics::select_series(source, layout, chosen, sums, centered, crew.team());
  dynamics::add_power_spectra(plan, source, series, static_cast<int>(n_segments), {work_bytes, instruction_set}, crew,
                              spectra_data, squares_data);
}

void correlate(const FftPlan& plan, Sums spectra, std::int64_t work_bytes, const std::string& instruction_set,
               Crew& crew) {
  check_sums(spectra, "spectra", spectra.shape(0), plan.spectrum_size());
  double* values = spectra.mutable_data();
  py::gil_scoped_release release;
  dynamics::correlate(plan, static_cast<int>(spectra.shape(0)), {work_bytes, instruction_set}, crew, values);
}

void displacement_sums(const FftPlan& plan, const Sums& folded, Sums squares, bool averaged, Crew& crew) {
  check_sums(folded, "folded", folded.shape(0), plan.spectrum_size());
  check_sums(squares, "squares", folded.shape(0), plan.n_frames());
  double* sums = squares.mutable_data();
  py::gil_scoped_release release;
  dynamics::displacement_sums(plan, folded.data(), static_cast<int>(folded.shape(0)), averaged, crew.team(), sums);
}

void unfold(const FftPlan& plan, const Sums& folded, Sums correlations, Crew& crew) {
  check_sums(folded, "folded", folded.shape(0), plan.spectrum_size());
  check_sums(correlations, "correlations", folded.shape(0), plan.n_frames());
  double* values = correlations.mutable_data();
  py::gil_scoped_release release;
  dynamics::unfold(plan, folded.data(), static_cast<int>(folded.shape(0)), crew.team(), values);
}

// Arrays (n_lags,), all of the same length.
dynamics::GroupSums group_sums(Array<double>& weighted, Array<double>& weighted_twice, Array<double>& squared) {
  for (const auto* sums : {&weighted, &weighted_twice, &squared})
    require(sums->ndim() == 1 && sums->size() == weighted.size(), "sums must be one row of the same lags each");
  return {weighted.mutable_data(), weighted_twice.mutable_data(), squared.mutable_data()};
}

// Rows must be contiguous but may be the beginning of longer ones.
std::int64_t row_stride(const py::array_t<double>& totals, py::ssize_t n_rows, py::ssize_t n_lags) {
  require(totals.ndim() == 2 && totals.shape(0) == n_rows && totals.shape(1) == n_lags, "totals must be ", n_rows,
          " × ", n_lags);
  const auto item = static_cast<py::ssize_t>(sizeof(double));
  require(totals.strides(1) == item || n_lags <= 1, "rows of totals must be contiguous");
  return totals.strides(0) / item;
}

void add_group_totals(const py::array_t<double>& totals, const Array<double>& weights, Array<double> weighted,
                      Array<double> weighted_twice, Array<double> squared, Crew& crew) {
  const auto of_group = view1(weights, "weights");
  const auto stride = row_stride(totals, weights.size(), weighted.size());
  const auto sums = group_sums(weighted, weighted_twice, squared);
  py::gil_scoped_release release;
  dynamics::add_group_totals(totals.data(), stride, of_group, totals.shape(1), crew.team(), sums);
}

void add_scaled(const py::array_t<double>& totals, double factor, Array<double> sums, Crew& crew) {
  require(sums.ndim() == 2, "sums must have 2 dimensions");
  const auto stride = row_stride(totals, sums.shape(0), sums.shape(1));
  double* values = sums.mutable_data();
  py::gil_scoped_release release;
  dynamics::add_scaled(totals.data(), stride, static_cast<int>(totals.shape(0)), totals.shape(1), factor,
                       crew.team(), values);
}

void mean_and_error(Array<double> weighted, Array<double> weighted_twice, Array<double> squared, double weight,
                    double weight_squared, int n_groups, Crew& crew) {
  const auto sums = group_sums(weighted, weighted_twice, squared);
  py::gil_scoped_release release;
  dynamics::mean_and_error(sums, weighted.size(), weight, weight_squared, n_groups, crew.team());
}

void add_weighted_sums(const py::array& positions, const Array<std::int64_t>& offsets,
                       const Array<std::int64_t>& members, const Array<double>& weights, Array<double> sums,
                       int n_threads) {
  const auto [source, layout] = source_from(positions, std::nullopt);
  require(sums.ndim() == 3, "sums must have 3 dimensions");
  const View3<double> view(sums.mutable_data(), sums.shape(0), sums.shape(1), sums.shape(2));
  const auto sets = view1(offsets, "offsets");
  const auto list = view1(members, "members");
  const auto factors = view1(weights, "weights");
  py::gil_scoped_release release;
  dynamics::add_weighted_sums(source, layout, sets, list, factors, n_threads, view);
}

py::array_t<double> displacement_moments(const py::array& positions, const Array<std::int64_t>& particles,
                                         const Array<std::int64_t>& group, int n_groups,
                                         const Array<std::int64_t>& offsets, const Array<std::int64_t>& pairs,
                                         const std::optional<Array<double>>& drift, int n_threads) {
  const auto [source, layout] = source_from(positions, drift);
  const auto chosen = view1(particles, "particles");
  const auto groups = view1(group, "group");
  const auto lags = view1(offsets, "offsets");
  const auto frames = view2(pairs, "pairs", 2);
  require(n_groups > 0 && !lags.empty(), "n_groups and offsets must not be empty");
  const auto n_lags = static_cast<py::ssize_t>(lags.size()) - 1;
  std::vector<double> moments(n_lags * n_groups * dynamics::n_moments);
  {
    py::gil_scoped_release release;
    dynamics::displacement_moments(source, layout, chosen, groups, lags, frames, n_threads,
                                   View3<double>(moments.data(), n_lags, n_groups, dynamics::n_moments));
  }
  return to_numpy(std::move(moments), {n_lags, n_groups, dynamics::n_moments});
}

}  // namespace

void bind_dynamics(py::module_ m) {
  py::class_<FftPlan>(m, "FftPlan")
      .def(py::init<std::int64_t>(), py::arg("n_frames"))
      .def_property_readonly("n_frames", &FftPlan::n_frames)
      .def_property_readonly("half_length", &FftPlan::half_length)
      .def_property_readonly("spectrum_size", &FftPlan::spectrum_size)
      .def_property_readonly("table_bytes", &FftPlan::table_bytes);
  py::class_<Crew>(m, "Crew")
      .def(py::init<int>(), py::arg("n_threads") = 0)
      .def("zeros", &zeros, py::arg("n_rows"), py::arg("n_columns"));
  m.def("instruction_sets", &dynamics::instruction_sets);
  m.def("add_power_spectra", &add_power_spectra, py::arg("plan"), py::arg("positions"),
        py::arg("particles").noconvert(), py::arg("segments").noconvert(), py::arg("drift").noconvert(),
        py::arg("centered"), py::arg("spectra").noconvert(), py::arg("squares").noconvert(),
        py::arg("work_bytes"), py::arg("instruction_set"), py::arg("crew"));
  m.def("correlate", &correlate, py::arg("plan"), py::arg("spectra").noconvert(), py::arg("work_bytes"),
        py::arg("instruction_set"), py::arg("crew"));
  m.def("add_weighted_sums", &add_weighted_sums, py::arg("positions"), py::arg("offsets").noconvert(),
        py::arg("members").noconvert(), py::arg("weights").noconvert(), py::arg("sums").noconvert(),
        py::arg("n_threads") = 0);
  m.def("displacement_moments", &displacement_moments, py::arg("positions"), py::arg("particles").noconvert(),
        py::arg("group").noconvert(), py::arg("n_groups"), py::arg("offsets").noconvert(),
        py::arg("pairs").noconvert(), py::arg("drift").noconvert(), py::arg("n_threads") = 0);
  m.def("displacement_sums", &displacement_sums, py::arg("plan"), py::arg("folded").noconvert(),
        py::arg("squares").noconvert(), py::arg("averaged"), py::arg("crew"));
  m.def("unfold", &unfold, py::arg("plan"), py::arg("folded").noconvert(), py::arg("correlations").noconvert(),
        py::arg("crew"));
  m.def("add_group_totals", &add_group_totals, py::arg("totals").noconvert(), py::arg("weights").noconvert(),
        py::arg("weighted").noconvert(), py::arg("weighted_twice").noconvert(), py::arg("squared").noconvert(),
        py::arg("crew"));
  m.def("add_scaled", &add_scaled, py::arg("totals").noconvert(), py::arg("factor"), py::arg("sums").noconvert(),
        py::arg("crew"));
  m.def("mean_and_error", &mean_and_error, py::arg("weighted").noconvert(), py::arg("weighted_twice").noconvert(),
        py::arg("squared").noconvert(), py::arg("weight"), py::arg("weight_squared"), py::arg("n_groups"),
        py::arg("crew"));
}

}  // namespace polypace::bindings
