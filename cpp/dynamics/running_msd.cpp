#include "dynamics/running_msd.hpp"

#include <algorithm>

#include "base/errors.hpp"

namespace polypace::dynamics {

RunningMsd::RunningMsd(std::vector<int> chains, const std::vector<double>& masses, int n_chains, int points, int ratio)
    : chains_(std::move(chains)), n_chains_(static_cast<std::size_t>(n_chains)), points_(points), ratio_(ratio) {
  require(ratio >= 2, "ratio must be at least 2, got ", ratio);
  require(points >= 2 * ratio && points % ratio == 0, "points must be a multiple of ratio and at least twice it, got ",
          points, " and ", ratio);
  require(masses.size() == chains_.size(), "masses must be given for each of the ", chains_.size(), " beads, got ",
          masses.size());
  std::vector<double> chain_mass(n_chains_, 0.0);
  for (std::size_t i = 0; i < chains_.size(); ++i) {
    require(chains_[i] >= 0 && chains_[i] < n_chains, "chain of bead ", i, " must be 0…", n_chains - 1, ", got ",
            chains_[i]);
    require(masses[i] > 0, "mass of bead ", i, " must be positive, got ", masses[i]);
    chain_mass[chains_[i]] += masses[i];
  }
  for (std::size_t i = 0; i < chains_.size(); ++i) weights_.push_back(masses[i] / chain_mass[chains_[i]]);
  center_steps_.resize(3 * n_chains_);
  add_level();
}

void RunningMsd::add_level() {
  Level level;
  if (!levels_.empty()) {
    // The level below has just been filled for the first time: every ratio-th of its samples belongs to this level.
    const Level& below = levels_.back();
    level.stride = below.stride * ratio_;
    level.beads.resize(below.beads.size());
    level.centers.resize(below.centers.size());
    for (int slot = 0; slot < points_; slot += ratio_, ++level.n_taken) {
      std::copy_n(&below.beads[3 * n_beads() * slot], 3 * n_beads(), &level.beads[3 * n_beads() * level.n_taken]);
      std::copy_n(&below.centers[3 * n_chains_ * slot], 3 * n_chains_, &level.centers[3 * n_chains_ * level.n_taken]);
    }
  } else {
    // One value more than needed: an address for a rank without beads.
    level.beads.resize(3 * n_beads() * points_ + 1);
    level.centers.resize(3 * n_chains_ * points_ + 1);
  }
  levels_.push_back(std::move(level));
}

void RunningMsd::push(const double* positions) {
  for (std::size_t index = 0; index < levels_.size(); ++index) {
    if (n_samples_ % levels_[index].stride != 0) break;  // nor is it due on any level above
    take(levels_[index], index, positions);
    const bool filled = index + 1 == levels_.size() && levels_[index].n_taken == points_;
    if (filled) {
      add_level();
      break;  // the new level has this sample if it is one of its own
    }
  }
  ++n_samples_;
}

void RunningMsd::take(Level& level, std::size_t index, const double* positions) {
  const std::int64_t slot = level.n_taken % points_;
  std::copy_n(positions, 3 * n_beads(), &level.beads[3 * n_beads() * slot]);
  centers_of(positions, &level.centers[3 * n_chains_ * slot]);
  const std::int64_t least = index == 0 ? 1 : points_ / ratio_;
  const std::int64_t most = std::min<std::int64_t>(level.n_taken, points_ - 1);
  for (std::int64_t multiple = least; multiple <= most; ++multiple)
    accumulate(level, (level.n_taken - multiple) % points_, slot, entry(index, multiple));
  ++level.n_taken;
}

RunningMsd::Sums& RunningMsd::entry(std::size_t level, std::int64_t multiple) {
  const std::int64_t least = points_ / ratio_, per_level = points_ - least;
  const std::int64_t lags_below = points_ - 1 + (static_cast<std::int64_t>(level) - 1) * per_level;
  const std::int64_t position = level == 0 ? multiple - 1 : lags_below + multiple - least;
  // Lags get their first origin in ascending order.
  if (position == static_cast<std::int64_t>(sums_.size())) {
    sums_.emplace_back();
    sums_.back().lag = multiple * levels_[level].stride;
  }
  return sums_[position];
}

void RunningMsd::accumulate(const Level& level, std::int64_t from, std::int64_t to, Sums& sums) {
  const double* const old_centers = &level.centers[3 * n_chains_ * from];
  const double* const new_centers = &level.centers[3 * n_chains_ * to];
  // Sums for each direction: additions that do not wait for each other.
  double g1[3] = {0, 0, 0}, g2[3] = {0, 0, 0}, g3[3] = {0, 0, 0};
  for (std::size_t k = 0; k < 3 * n_chains_; k += 3)
    for (int d = 0; d < 3; ++d) {
      const double step = center_steps_[k + d] = new_centers[k + d] - old_centers[k + d];
      g3[d] += step * step;
    }
  const double* const old_beads = &level.beads[3 * n_beads() * from];
  const double* const new_beads = &level.beads[3 * n_beads() * to];
  for (std::size_t i = 0; i < n_beads(); ++i) {
    const double* const center_step = &center_steps_[3 * static_cast<std::size_t>(chains_[i])];
    for (int d = 0; d < 3; ++d) {
      const double step = new_beads[3 * i + d] - old_beads[3 * i + d], relative = step - center_step[d];
      g1[d] += step * step;
      g2[d] += relative * relative;
    }
  }
  sums.g1 += g1[0] + g1[1] + g1[2];
  sums.g2 += g2[0] + g2[1] + g2[2];
  sums.g3 += g3[0] + g3[1] + g3[2];
  ++sums.origins;
}

void RunningMsd::centers_of(const double* positions, double* centers) const {
  std::fill_n(centers, 3 * n_chains_, 0.0);
  for (std::size_t i = 0; i < n_beads(); ++i)
    for (int d = 0; d < 3; ++d) centers[3 * chains_[i] + d] += weights_[i] * positions[3 * i + d];
}

// Replays which levels exist and how many samples each has taken, without positions.
std::vector<std::int64_t> RunningMsd::taken_by_level(std::int64_t n_samples, int points, int ratio) {
  std::vector<std::int64_t> taken;
  std::int64_t stride = 1;
  do {
    taken.push_back((n_samples + stride - 1) / stride);  // samples 0, stride, 2 stride, …
    stride *= ratio;
  } while (taken.back() >= points);
  return taken;
}

std::size_t RunningMsd::n_kept(std::int64_t n_samples, int points, int ratio) {
  std::size_t kept = 0;
  for (const auto taken : taken_by_level(n_samples, points, ratio)) kept += std::min<std::int64_t>(taken, points);
  return kept;
}

std::vector<double> RunningMsd::kept_positions() const {
  std::vector<double> kept;
  for (std::size_t i = 0; i < n_beads(); ++i)
    for (const auto& level : levels_)
      for (std::int64_t slot = 0; slot < std::min<std::int64_t>(level.n_taken, points_); ++slot)
        kept.insert(kept.end(), &level.beads[3 * (n_beads() * slot + i)], &level.beads[3 * (n_beads() * slot + i)] + 3);
  return kept;
}

void RunningMsd::restore(std::int64_t n_samples, std::vector<Sums> sums, const double* kept_positions) {
  const auto taken = taken_by_level(n_samples, points_, ratio_);
  levels_.resize(1);
  while (levels_.size() < taken.size()) {
    levels_.push_back(levels_.back());
    levels_.back().stride *= ratio_;
  }
  for (std::size_t k = 0; k < taken.size(); ++k) levels_[k].n_taken = taken[k];
  for (std::size_t i = 0; i < n_beads(); ++i)
    for (auto& level : levels_)
      for (std::int64_t slot = 0; slot < std::min<std::int64_t>(level.n_taken, points_); ++slot, kept_positions += 3)
        std::copy_n(kept_positions, 3, &level.beads[3 * (n_beads() * slot + i)]);
  for (auto& level : levels_)
    for (std::int64_t slot = 0; slot < std::min<std::int64_t>(level.n_taken, points_); ++slot)
      centers_of(&level.beads[3 * n_beads() * slot], &level.centers[3 * n_chains_ * slot]);
  n_samples_ = n_samples;
  sums_ = std::move(sums);
}

}  // namespace polypace::dynamics
