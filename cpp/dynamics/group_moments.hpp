// What is kept of the curves of groups that come a few at a time: sums over groups, for the mean and its error.
#pragma once

#include <cstdint>

#include "base/threads.hpp"
#include "base/view.hpp"

namespace polypace::dynamics {

// Σ wc, Σ w·wc and Σ (wc)² over groups of weight w and curve c, each [n_lags].
struct GroupSums {
  double* weighted;
  double* weighted_twice;
  double* squared;
};

// Adds groups whose totals wc [group][lag] lie `stride` doubles apart.
void add_group_totals(const double* totals, std::int64_t stride, View1<const double> weights, std::int64_t n_lags,
                      ThreadTeam& team, const GroupSums& sums);

// sums += totals · factor, rows of n_lags each; those of `totals` lie `stride` apart.
void add_scaled(const double* totals, std::int64_t stride, int n_rows, std::int64_t n_lags, double factor,
                ThreadTeam& team, double* sums);

// Of n groups with W = Σ w, W₂ = Σ w²: `weighted` ← mean Σ wc/W, `squared` ← its standard error, n/(n−1) Σ w²(c − mean)²/W².
void mean_and_error(const GroupSums& sums, std::int64_t n_lags, double weight, double weight_squared, int n_groups,
                    ThreadTeam& team);

}  // namespace polypace::dynamics
