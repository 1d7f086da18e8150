#include "dynamics/displacement.hpp"

namespace polypace::dynamics {
namespace {

// Σ over origins of x(n)² + x(n+m)² is E(m) = E(m−1) − x(m−1)² − x(F−m)², and E(F−m) = E(0) − E(m): from both ends to
// the middle, each square is read before its place is needed.
void displacements_of(const FftPlan& plan, const double* folded, bool averaged, double* squares) {
  const std::int64_t n_frames = plan.n_frames();
  // E is up to n_frames times the displacement at short lags: sums in extended precision.
  long double all = 0;
  for (std::int64_t n = 0; n < n_frames; ++n) all += 2.0L * squares[n];
  // Rounding in the strongest bins, which are the lowest, shifts all correlations alike; lag 0 tells by how much.
  const auto shift = static_cast<double>(2.0L * plan.correlation(folded, 0) - all);
  const auto put = [&](std::int64_t lag, long double ends) {
    const long double sum = ends - (2.0L * plan.correlation(folded, lag) - shift);
    const double origins = averaged ? static_cast<double>(n_frames - lag) : 1.0;
    squares[lag] = sum > 0 ? static_cast<double>(sum) / origins : 0.0;
  };
  long double ends = all;
  double before = squares[0];
  squares[0] = 0;
  for (std::int64_t lag = 1; lag <= n_frames - lag; ++lag) {
    ends -= static_cast<long double>(before) + squares[n_frames - lag];
    before = squares[lag];
    put(lag, ends);
    if (lag != n_frames - lag) put(n_frames - lag, all - ends);
  }
}

}  // namespace

void displacement_sums(const FftPlan& plan, const double* folded, int n_segments, bool averaged, ThreadTeam& team,
                       double* squares) {
  team.run(n_segments, [&](std::size_t segment, int) {
    displacements_of(plan, folded + segment * plan.spectrum_size(), averaged, squares + segment * plan.n_frames());
  });
}

void unfold(const FftPlan& plan, const double* folded, int n_segments, ThreadTeam& team, double* correlations) {
  team.run(n_segments, [&](std::size_t segment, int) {
    const double* kept = folded + segment * plan.spectrum_size();
    double* target = correlations + segment * plan.n_frames();
    for (std::int64_t lag = 0; lag < plan.n_frames(); ++lag) target[lag] = plan.correlation(kept, lag);
  });
}

}  // namespace polypace::dynamics
