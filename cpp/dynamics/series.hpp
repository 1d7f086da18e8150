// Which series a selection of particles means, in any layout of (frame, particle, direction).
#pragma once

#include <cstdint>
#include <vector>

#include "base/view.hpp"
#include "dynamics/spectrum.hpp"

namespace polypace::dynamics {

struct Layout {
  std::int64_t n_particles;
  std::int64_t particle_stride;   // in elements
  std::int64_t direction_stride;  // in elements
};

// Series of `particles` [n], three each; segments [n][3][2] names two sums that each direction of each particle adds
// to; negative: none. With `centered` every series is shifted by its mean over some frames.
std::vector<Series> select_series(const Source& source, const Layout& layout, View1<const std::int64_t> particles,
                                  View3<const std::int64_t> segments, bool centered, ThreadTeam& team);

}  // namespace polypace::dynamics
