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

#include "dynamics/crew.hpp"
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
  std::int64_t work_bytes = 0;      // 0: what fits the caches; at least one batch is always held
  std::string instruction_set = "auto";  // auto, portable, avx2, avx512
};

// Names of the instruction sets that this build has and this processor can run, the fastest last.
std::vector<std::string> instruction_sets();

// Adds Σ|X(k)|² to spectra [segment][spectrum_size], in the order of the plan, and Σ x(n)² to squares
// [segment][n_frames]; both owned by the caller.
void add_power_spectra(const FftPlan& plan, const Source& source, const std::vector<Series>& series, int n_segments,
                       const Settings& settings, Crew& crew, double* spectra, double* squares);

// spectra [segment][spectrum_size] ← correlations Σ_n x(n) x(n+m) of the same segments, as the plan folds them.
void correlate(const FftPlan& plan, int n_segments, const Settings& settings, Crew& crew, double* spectra);

}  // namespace polypace::dynamics
