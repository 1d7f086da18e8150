#include "dynamics/group_moments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace polypace::dynamics {
namespace {

constexpr std::int64_t piece = 1 << 12;  // lags whose sums stay in the fastest cache while groups are added

template <class Body>
void for_pieces(std::int64_t n_lags, ThreadTeam& team, const Body& body) {
  team.run_apart((n_lags + piece - 1) / piece, [&](std::size_t i, int) {
    const auto begin = static_cast<std::int64_t>(i) * piece;
    body(begin, std::min(begin + piece, n_lags));
  });
}

}  // namespace

void add_group_totals(const double* totals, std::int64_t stride, View1<const double> weights, std::int64_t n_lags,
                      ThreadTeam& team, const GroupSums& sums) {
  for_pieces(n_lags, team, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t group = 0; group < weights.extent(0); ++group) {
      const double* total = totals + static_cast<std::int64_t>(group) * stride;
      const double weight = weights(group);
      for (std::int64_t lag = begin; lag < end; ++lag) {
        sums.weighted[lag] += total[lag];
        sums.weighted_twice[lag] += weight * total[lag];
        sums.squared[lag] += total[lag] * total[lag];
      }
    }
  });
}

void add_scaled(const double* totals, std::int64_t stride, int n_rows, std::int64_t n_lags, double factor,
                ThreadTeam& team, double* sums) {
  for_pieces(n_lags, team, [&](std::int64_t begin, std::int64_t end) {
    for (int row = 0; row < n_rows; ++row)
      for (std::int64_t lag = begin; lag < end; ++lag)
        sums[row * n_lags + lag] += totals[row * stride + lag] * factor;
  });
}

void mean_and_error(const GroupSums& sums, std::int64_t n_lags, double weight, double weight_squared, int n_groups,
                    ThreadTeam& team) {
  const double factor = n_groups > 1 ? n_groups / (n_groups - 1.0) : std::numeric_limits<double>::quiet_NaN();
  for_pieces(n_lags, team, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t lag = begin; lag < end; ++lag) {
      const double c = sums.weighted[lag] / weight;
      const double scatter = sums.squared[lag] - 2 * c * sums.weighted_twice[lag] + c * c * weight_squared;
      sums.weighted[lag] = c;
      sums.squared[lag] = std::sqrt(factor * std::max(scatter, 0.0)) / weight;
    }
  });
}

}  // namespace polypace::dynamics
