#include "dynamics/direct.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/cell.hpp"
#include "base/errors.hpp"
#include "base/threads.hpp"

namespace polypace::dynamics {
namespace {

constexpr std::int64_t frames_per_task = 256;

void check_indices(View1<const std::int64_t> indices, std::int64_t n, const char* name) {
  for (std::size_t i = 0; i < indices.size(); ++i)
    require(indices(i) >= 0 && indices(i) < n, name, " must be 0 … ", n - 1, ", got ", indices(i));
}

void check_offsets(View1<const std::int64_t> offsets, std::size_t n) {
  require(!offsets.empty() && offsets(0) == 0 && offsets(offsets.size() - 1) == static_cast<std::int64_t>(n),
          "offsets must run from 0 to ", n);
  for (std::size_t i = 1; i < offsets.size(); ++i) require(offsets(i) >= offsets(i - 1), "offsets must ascend");
}

template <class Real>
Vec3 position(const Source& source, const Layout& layout, std::int64_t frame, std::int64_t particle) {
  const Real* r = static_cast<const Real*>(source.data) + frame * source.frame_stride +
                  particle * layout.particle_stride;
  Vec3 result{static_cast<double>(r[0]), static_cast<double>(r[layout.direction_stride]),
              static_cast<double>(r[2 * layout.direction_stride])};
  if (source.drift)
    for (int d = 0; d < 3; ++d) result[d] -= source.drift[3 * frame + d];
  return result;
}

template <class Real>
void sum_frame(const Source& source, const Layout& layout, std::int64_t frame, View1<const std::int64_t> offsets,
               View1<const std::int64_t> members, View1<const double> weights, View3<double> centers) {
  for (std::size_t set = 0; set + 1 < offsets.size(); ++set) {
    Vec3 sum{};
    for (std::int64_t m = offsets(set); m < offsets(set + 1); ++m) {
      const Vec3 r = position<Real>(source, layout, frame, members(m));
      for (int d = 0; d < 3; ++d) sum[d] += weights(m) * r[d];
    }
    for (int d = 0; d < 3; ++d) centers(frame, set, d) += sum[d];
  }
}

struct Selection {
  View1<const std::int64_t> particles, group;
};

// Particles in the inner loop: both frames are read along memory.
template <class Real>
void add_pair(const Source& source, const Layout& layout, const Selection& selection, std::int64_t begin,
              std::int64_t end, double* moments) {
  for (std::size_t i = 0; i < selection.particles.size(); ++i) {
    const Vec3 a = position<Real>(source, layout, begin, selection.particles(i));
    const Vec3 b = position<Real>(source, layout, end, selection.particles(i));
    double* sums = moments + n_moments * selection.group(i);
    double square = 0;
    for (int d = 0; d < 3; ++d) {
      const double part = (b[d] - a[d]) * (b[d] - a[d]);
      sums[d] += part;
      square += part;
    }
    sums[3] += square * square;
  }
}

}  // namespace

void add_weighted_sums(const Source& source, const Layout& layout, View1<const std::int64_t> offsets,
                       View1<const std::int64_t> members, View1<const double> weights, int n_threads,
                       View3<double> centers) {
  check_offsets(offsets, members.size());
  check_indices(members, layout.n_particles, "members");
  require(weights.size() == members.size(), "weights must be one for each of the ", members.size(), " members");
  require(static_cast<std::int64_t>(centers.extent(0)) == source.n_frames &&
              centers.extent(1) + 1 == offsets.size() && centers.extent(2) == 3,
          "centers must be n_frames × n_sets × 3");
  const std::int64_t n_tasks = (source.n_frames + frames_per_task - 1) / frames_per_task;
  parallel_for(n_tasks, n_threads, [&](std::size_t task, int) {
    const auto first = static_cast<std::int64_t>(task) * frames_per_task;
    for (std::int64_t frame = first; frame < std::min(first + frames_per_task, source.n_frames); ++frame)
      (source.single_precision ? sum_frame<float> : sum_frame<double>)(source, layout, frame, offsets, members,
                                                                      weights, centers);
  });
}

void displacement_moments(const Source& source, const Layout& layout, View1<const std::int64_t> particles,
                          View1<const std::int64_t> group, View1<const std::int64_t> offsets,
                          View2<const std::int64_t> pairs, int n_threads, View3<double> moments) {
  check_offsets(offsets, pairs.extent(0));
  check_indices(particles, layout.n_particles, "particles");
  check_indices(group, static_cast<std::int64_t>(moments.extent(1)), "group");
  check_indices(View1<const std::int64_t>(pairs.data(), pairs.size()), source.n_frames, "pairs");
  require(group.size() == particles.size(), "group must be one for each of the ", particles.size(), " particles");
  require(moments.extent(0) + 1 == offsets.size() && moments.extent(2) == n_moments,
          "moments must be n_lags × n_groups × ", n_moments);
  const Selection selection{particles, group};
  const std::size_t n_sums = moments.extent(1) * n_moments;
  parallel_for(moments.extent(0), n_threads, [&](std::size_t lag, int) {
    double* sums = moments.data() + lag * n_sums;
    std::fill(sums, sums + n_sums, 0.0);
    for (std::int64_t pair = offsets(lag); pair < offsets(lag + 1); ++pair)
      (source.single_precision ? add_pair<float> : add_pair<double>)(source, layout, selection, pairs(pair, 0),
                                                                    pairs(pair, 1), sums);
  });
}

}  // namespace polypace::dynamics
