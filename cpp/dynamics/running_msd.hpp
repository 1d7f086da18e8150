// Mean square displacements kept up while a simulation runs: a multiple-tau scheme (Ramírez et al., J. Chem. Phys.
// 133, 154103 (2010)) whose levels thin the time origins instead of averaging positions, so that every value is an
// exact average over its origins.
//
// Level k holds the last `points` samples taken every ratio^k samples and gives the lags j·ratio^k with
// j = 1…points−1 (k = 0) or points/ratio…points−1 (k > 0). Memory grows with the logarithm of the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace polypace::dynamics {

class RunningMsd {
 public:
  // Sums over beads (g1, g2) or chains (g3) and over `origins` time origins, Å².
  // g1: displacement of a bead; g2: relative to its chain's centre of mass; g3: of the centre of mass.
  struct Sums {
    std::int64_t lag = 0;  // in samples
    std::int64_t origins = 0;
    double g1 = 0, g2 = 0, g3 = 0;
  };

  // chains[i] = chain of bead i, 0…n_chains − 1; masses (one per bead) weight the centres.
  RunningMsd(std::vector<int> chains, const std::vector<double>& masses, int n_chains, int points, int ratio);

  // One sample, beads × 3 unwrapped coordinates.
  void push(const double* positions);

  const std::vector<Sums>& sums() const { return sums_; }  // ascending lag, only lags that have origins
  std::int64_t n_samples() const { return n_samples_; }
  std::size_t n_beads() const { return chains_.size(); }

  // The samples that are kept, per bead one after the other; with n_samples they are the whole state beside the sums.
  static std::size_t n_kept(std::int64_t n_samples, int points, int ratio);
  std::vector<double> kept_positions() const;  // beads × n_kept × 3
  void restore(std::int64_t n_samples, std::vector<Sums> sums, const double* kept_positions);

 private:
  struct Level {
    std::int64_t stride = 1;   // in samples
    std::int64_t n_taken = 0;  // samples this level has seen
    std::vector<double> beads, centers;  // points × (beads | chains) × 3, slot = number taken modulo points
  };

  static std::vector<std::int64_t> taken_by_level(std::int64_t n_samples, int points, int ratio);
  void add_level();
  void take(Level& level, std::size_t index, const double* positions);
  void accumulate(const Level& level, std::int64_t from, std::int64_t to, Sums& sums);
  void centers_of(const double* positions, double* centers) const;
  Sums& entry(std::size_t level, std::int64_t multiple);

  std::vector<int> chains_;
  std::vector<double> weights_;  // mass of the bead / mass of its chain
  std::size_t n_chains_;
  int points_, ratio_;
  std::int64_t n_samples_ = 0;
  std::vector<Level> levels_;
  std::vector<Sums> sums_;
  std::vector<double> center_steps_;
};

}  // namespace polypace::dynamics
