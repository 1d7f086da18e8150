// What is made of folded correlations (spectrum.hpp): displacements, or the correlations at all lags.
#pragma once

#include <cstdint>

#include "base/threads.hpp"
#include "dynamics/fft_plan.hpp"

namespace polypace::dynamics {

// squares [segment][n_frames] ← Σ_n (x(n+m) − x(n))² at every lag m, from Σ x(n)² there and the folded correlations
// [segment][spectrum_size]; with `averaged` divided by the number n_frames − m of time origins.
void displacement_sums(const FftPlan& plan, const double* folded, int n_segments, bool averaged, ThreadTeam& team,
                       double* squares);

// correlations [segment][n_frames] ← the folded ones at every lag.
void unfold(const FftPlan& plan, const double* folded, int n_segments, ThreadTeam& team, double* correlations);

}  // namespace polypace::dynamics
