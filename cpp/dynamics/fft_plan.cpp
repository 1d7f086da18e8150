#include "dynamics/fft_plan.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "base/errors.hpp"

namespace polypace::dynamics {
namespace {

constexpr double pi = 3.141592653589793238462643383279502884;
constexpr std::int64_t longest_series = std::int64_t{1} << 31;

// Radices from first to last step; the last one needs no twiddle factors and so is the largest that divides.
std::vector<int> factorise(std::int64_t length) {
  std::vector<int> radices;
  for (const int radix : {3, 5})
    for (; length % radix == 0; length /= radix) radices.push_back(radix);
  int twos = 0;
  for (; length % 2 == 0; length /= 2) ++twos;
  require(length == 1, "the length of a transform must be a product of 2, 3 and 5");
  if (twos % 2 == 1) radices.insert(radices.begin(), 2);
  for (int i = 0; i < twos / 2; ++i) radices.push_back(4);
  return radices;
}

// Operations per point of one step, counted in complex additions and multiplications of the butterflies.
double step_cost(int radix) {
  switch (radix) {
    case 2: return 1.5;
    case 3: return 2.6;
    case 4: return 2.6;
    default: return 4.2;
  }
}

double cost(std::int64_t length) {
  double sum = 2.0;  // reading and writing the point once
  for (const int radix : factorise(length)) sum += step_cost(radix);
  return sum * static_cast<double>(length);
}

// Divisor of `length` closest to its square root, so that both transforms stay small.
int balanced_divisor(std::int64_t length) {
  auto divisor = static_cast<std::int64_t>(std::sqrt(static_cast<double>(length)));
  while (length % divisor != 0) --divisor;
  return static_cast<int>(divisor);
}

// exp(−iφ) in its octant from that of the angle that is folded into the first one.
Root unfolded(std::int64_t octant, Root folded) {
  double c = folded.re, s = -folded.im;
  if (octant % 4 == 1 || octant % 4 == 2) std::swap(c, s);
  if (octant >= 2 && octant <= 5) c = -c;
  if (octant >= 4) s = -s;
  return {c, -s};
}

// unit_root(k, n) for many 0 ≤ k < n: an octant of the circle is computed, the others are its images.
class Circle {
 public:
  explicit Circle(std::int64_t n) : n_(n) {
    if (n % 8 != 0) return;
    for (std::int64_t k = 0; k <= n / 8; ++k) octant_.push_back(unit_root(k, n));
  }

  Root operator()(std::int64_t k) const {
    if (octant_.empty()) return unit_root(k, n_);
    const std::int64_t eighth = n_ / 8, octant = k / eighth, rest = k - octant * eighth;
    return unfolded(octant, octant_[octant % 2 == 0 ? rest : eighth - rest]);
  }

 private:
  std::int64_t n_;
  std::vector<Root> octant_;
};

}  // namespace

Root unit_root(std::int64_t k, std::int64_t n) {
  // 8k/n = octant + rest: sine and cosine are only taken of angles up to π/4, where they are exact to the last bit.
  k %= n;
  const std::int64_t octant = 8 * k / n;
  const std::int64_t rest = 8 * k - octant * n;
  const std::int64_t folded = octant % 2 == 0 ? rest : n - rest;
  const double angle = 2 * pi * (static_cast<double>(folded) / (8.0 * static_cast<double>(n)));
  return unfolded(octant, {std::cos(angle), -std::sin(angle)});
}

SmallPlan::SmallPlan(int length) : length_(length), frequency_(length, 0), position_(length) {
  const auto radices = factorise(length);
  std::vector<std::size_t> offsets;
  int n = length;
  for (const int radix : radices) {
    const int m = n / radix;
    offsets.push_back(twiddles_.size());
    for (int j = 0; j < m; ++j)
      for (int s = 1; s < radix; ++s) twiddles_.push_back(unit_root(std::int64_t{j} * s, n));
    // Block s of this step holds the frequencies s mod radix of the points that it divides.
    const int weight = length / n;
    for (int p = 0; p < length; ++p) frequency_[p] += weight * (p / m % radix);
    n = m;
  }
  for (int p = 0; p < length; ++p) position_[frequency_[p]] = p;
  n = length;
  for (std::size_t i = 0; i < radices.size(); ++i) {
    stages_.push_back({radices[i], n, twiddles_.data() + offsets[i]});
    n /= radices[i];
  }
}

std::int64_t good_half_length(std::int64_t n_frames) {
  require(n_frames >= 1 && n_frames <= longest_series, "n_frames must be between 1 and ", longest_series, ", got ",
          n_frames);
  std::int64_t best = 0;
  double best_cost = std::numeric_limits<double>::infinity();
  for (std::int64_t fives = 1; fives < 2 * n_frames; fives *= 5)
    for (std::int64_t threes = fives; threes < 2 * n_frames; threes *= 3) {
      std::int64_t length = threes;
      while (length < n_frames) length *= 2;
      const double this_cost = cost(length);
      if (this_cost < best_cost) {
        best = length;
        best_cost = this_cost;
      }
    }
  return best;
}

FftPlan::FftPlan(std::int64_t n_frames)
    : n_frames_(n_frames),
      half_length_(good_half_length(n_frames)),
      down_(balanced_divisor(half_length_)),
      across_(static_cast<int>(half_length_ / down_.length())) {
  for (int row = 0; row < n_rows(); ++row) odd_rows_.push_back(unit_root(row, 2 * std::int64_t{n_rows()}));
  for (int p = 0; p < n_columns(); ++p) {
    const int g = across_.frequency()[p];
    mirror_[0].push_back(across_.position()[n_columns() - 1 - g]);
    mirror_[1].push_back(across_.position()[g == 0 ? 0 : n_columns() - g]);
  }
  const Circle circle(2 * half_length_);
  for (int parity = 0; parity < 2; ++parity) {
    between_[parity].reserve(half_length_);
    for (std::int64_t column = 0; column < n_columns(); ++column)
      for (int row = 0; row < n_rows(); ++row)
        between_[parity].push_back(circle(column * (2 * down_.frequency()[row] + parity)));
  }
}

std::int64_t FftPlan::table_bytes() const { return 2 * half_length_ * std::int64_t{sizeof(Root)}; }

}  // namespace polypace::dynamics
