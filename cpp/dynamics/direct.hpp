// Sums over frames and pairs of frames as they stand: centres of molecules, and moments of displacements for lags
// that have no common step (log-spaced frames) or functions that no Fourier transform gives.
#pragma once

#include <cstdint>

#include "base/view.hpp"
#include "dynamics/series.hpp"

namespace polypace::dynamics {

// centers [frame][set][3] += Σ weight · position over the members of every set; members of set s are
// members(offsets(s)) … members(offsets(s + 1) − 1), with weights in the same order.
void add_weighted_sums(const Source& source, const Layout& layout, View1<const std::int64_t> offsets,
                       View1<const std::int64_t> members, View1<const double> weights, int n_threads,
                       View3<double> centers);

constexpr std::size_t n_moments = 4;  // Σdx², Σdy², Σdz², Σ|d|⁴

// moments [lag][group][4] ← sums over particles of the group and the frame pairs of the lag, pairs(offsets(lag)) …;
// group(i) of particles(i).
void displacement_moments(const Source& source, const Layout& layout, View1<const std::int64_t> particles,
                          View1<const std::int64_t> group, View1<const std::int64_t> offsets,
                          View2<const std::int64_t> pairs, int n_threads, View3<double> moments);

}  // namespace polypace::dynamics
