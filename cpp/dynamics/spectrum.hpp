// Summed power spectra of many real series and the correlations that belong to them.
//
// With X(k) the transform of a series x padded with zeros, Σ_n x(n) x(n+m) = (1/L) Σ_k |X(k)|² exp(2πi km/L)
// (Wiener–Khinchin). The sum over series is taken of the |X(k)|², so one way back serves all of them, and two series
// share a complex transform, whose values at k and −k tell them apart.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dynamics/fft_plan.hpp"
#include "dynamics/spectrum_kernels.hpp"

namespace polypace::dynamics {

// One coordinate of one particle over all frames, and the sums (segments) that it adds to; −1: none.
struct Series {
  std::int64_t offset;
  int direction;  // row of the drift that is subtracted
  double center;  // subtracted too: correlations of far-off coordinates would drown in rounding
  std::array<int, segments_per_series> segments;
};

struct Settings {
  int n_threads = 0;
  std::int64_t work_bytes = 0;      // 0: what fits the caches; at least one batch is always held
  std::string instruction_set = "auto";  // auto, portable, avx2, avx512
};

// Names of the instruction sets that this build has and this processor can run, the fastest last.
std::vector<std::string> instruction_sets();

// Memory of the transforms, in large pages where the system has them: columns stride through all of it. One that is used
// again is worth having, because fresh pages cost as much as a pass of the transform.
class WorkSpace {
 public:
  WorkSpace() = default;
  explicit WorkSpace(std::int64_t n_doubles) { at_least(n_doubles); }
  ~WorkSpace() { release(); }
  WorkSpace(const WorkSpace&) = delete;
  WorkSpace& operator=(const WorkSpace&) = delete;
  // What it held before is lost where it has to grow.
  double* at_least(std::int64_t n_doubles);
  double* data() const { return data_; }
  std::int64_t size() const { return size_; }

 private:
  void release();
  std::size_t alignment_ = 0;
  std::int64_t size_ = 0;
  double* data_ = nullptr;
};

// Adds Σ|X(k)|² to spectra [segment][spectrum_size], in the order of the plan, and Σ x(n)² to squares
// [segment][n_frames]; both owned by the caller.
void add_power_spectra(const FftPlan& plan, const Source& source, const std::vector<Series>& series, int n_segments,
                       const Settings& settings, WorkSpace& work, double* spectra, double* squares);

// correlations [segment][n_frames] ← Σ_n x(n) x(n+m) from spectra [segment][spectrum_size].
void correlations_from_spectra(const FftPlan& plan, const double* spectra, int n_segments, const Settings& settings,
                               WorkSpace& work, double* correlations);

// sums [segment][lag] ← Σ_n (x(n+m) − x(n))² from the correlations (overwritten) and squares of the same segments; with
// `averaged` divided by the number n_frames − m of time origins.
void displacement_sums(std::int64_t n_frames, int n_segments, const double* squares, bool averaged, int n_threads,
                       double* correlations);

}  // namespace polypace::dynamics
