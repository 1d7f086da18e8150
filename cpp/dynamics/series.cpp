#include "dynamics/series.hpp"

#include <algorithm>

#include "base/errors.hpp"

namespace polypace::dynamics {
namespace {

// Any point near the series will do: what matters is that the coordinates become as small as the displacements.
constexpr std::int64_t frames_for_center = 64;

double value_at(const Source& source, std::int64_t frame, std::int64_t offset) {
  const std::int64_t index = frame * source.frame_stride + offset;
  return source.single_precision ? static_cast<double>(static_cast<const float*>(source.data)[index])
                                 : static_cast<const double*>(source.data)[index];
}

double center_of(const Source& source, std::int64_t offset, int direction) {
  const std::int64_t n = std::min(source.n_frames, frames_for_center);
  const double first = value_at(source, 0, offset);
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t frame = n == 1 ? 0 : i * (source.n_frames - 1) / (n - 1);
    sum += value_at(source, frame, offset) - first;
    if (source.drift) sum -= source.drift[3 * frame + direction];
  }
  return first + sum / static_cast<double>(n);
}

}  // namespace

std::vector<Series> select_series(const Source& source, const Layout& layout, View1<const std::int64_t> particles,
                                  View3<const std::int64_t> segments, bool centered, ThreadTeam& team) {
  require(segments.extent(0) == particles.extent(0) && segments.extent(1) == 3 &&
              segments.extent(2) == segments_per_series,
          "segments must be ", particles.extent(0), " × 3 × ", segments_per_series, ", got ", segments.extent(0), " × ",
          segments.extent(1), " × ", segments.extent(2));
  std::vector<Series> series;
  for (std::size_t i = 0; i < particles.extent(0); ++i) {
    require(particles(i) >= 0 && particles(i) < layout.n_particles, "particles must be 0 … ", layout.n_particles - 1,
            ", got ", particles(i));
    for (int d = 0; d < 3; ++d) {
      const std::array<int, segments_per_series> sums{static_cast<int>(segments(i, d, 0)),
                                                      static_cast<int>(segments(i, d, 1))};
      if (sums[0] < 0 && sums[1] < 0) continue;
      const std::int64_t offset = particles(i) * layout.particle_stride + d * layout.direction_stride;
      series.push_back({offset, d, 0.0, sums});
    }
  }
  if (centered)
    team.run(series.size(), [&](std::size_t i, int) {
      series[i].center = center_of(source, series[i].offset, series[i].direction);
    });
  return series;
}

}  // namespace polypace::dynamics
