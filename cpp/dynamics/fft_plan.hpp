// Tables of a zero-padded Fourier transform of long real series.
//
// A series of F frames is padded to 2H ≥ 2F points, so that its correlations do not wrap. Because the second half is
// zero, the even bins of the padded transform are a plain transform of H points and the odd bins one of the series
// multiplied by exp(−iπn/H): two passes with half the memory. Each pass is cut as H = n_rows · n_columns (the
// four-step method of Bailey, J. Supercomput. 4, 23 (1990)): frame n = row · n_columns + column, first a transform
// down every column, then one along every row, each small enough for the cache of a core.
#pragma once

#include <cstdint>
#include <vector>

namespace polypace::dynamics {

constexpr int max_lanes = 8;

// Extent of a row of sums, which is added to by whole vectors.
constexpr std::int64_t padded(std::int64_t n) { return (n + max_lanes - 1) / max_lanes * max_lanes; }

struct Root {
  double re, im;
};

// exp(−2πi k/n) with the full accuracy of double for any k ≥ 0 (the angle is reduced in integers).
Root unit_root(std::int64_t k, std::int64_t n);

// One decimation-in-frequency step: `length` points into `radix` blocks of length/radix.
struct Stage {
  int radix;
  int length;
  const Root* twiddles;  // [length/radix][radix − 1]
};

// In-place transform of `length` points; the result at position p belongs to frequency `frequency[p]`.
class SmallPlan {
 public:
  explicit SmallPlan(int length);
  SmallPlan(const SmallPlan&) = delete;
  SmallPlan& operator=(const SmallPlan&) = delete;

  int length() const { return length_; }
  const Stage* stages() const { return stages_.data(); }
  const int* frequency() const { return frequency_.data(); }
  const int* position() const { return position_.data(); }  // the inverse permutation

 private:
  int length_;
  std::vector<Root> twiddles_;
  std::vector<Stage> stages_;
  std::vector<int> frequency_, position_;
};

class FftPlan {
 public:
  explicit FftPlan(std::int64_t n_frames);

  std::int64_t n_frames() const { return n_frames_; }
  std::int64_t half_length() const { return half_length_; }
  const SmallPlan& down() const { return down_; }     // along columns, n_rows points
  const SmallPlan& across() const { return across_; }  // along rows, n_columns points
  int n_rows() const { return down_.length(); }
  int n_columns() const { return across_.length(); }

  // Factor of row `row` before the column transform of odd bins, and after that of the way back: exp(−iπ row/n_rows).
  const Root* odd_rows() const { return odd_rows_.data(); }
  // Factor between the two transforms, [column][position down the column].
  const Root* between(int parity) const { return between_[parity].data(); }
  std::int64_t table_bytes() const;

  // Bin 2(f + n_rows · g) + parity and its mirror image hold conjugate values of a real series. The row of the image:
  int mirror_row(int parity, int f) const { return parity == 1 ? n_rows() - 1 - f : f == 0 ? 0 : n_rows() - f; }
  // and the position along it, for each position along row f.
  const int* mirror_positions(int parity, int f) const { return mirror_[parity == 0 && f == 0].data(); }
  // One row of each such pair is stored: f = 0 … stored_rows − 1.
  int stored_rows(int parity) const { return parity == 0 ? n_rows() / 2 + 1 : (n_rows() + 1) / 2; }
  // Row f of a stored spectrum begins here; its bins lie in the order of positions.
  std::int64_t stored_row(int parity, int f) const {
    return (f + (parity == 0 ? std::int64_t{0} : stored_rows(0))) * padded(n_columns());
  }
  std::int64_t spectrum_size() const { return stored_row(1, stored_rows(1)); }

  // The correlation at lag m is e(m) + o(m), from the even and the odd bins. Bins being real and the same for ±k, e(m) =
  // e(H − m) and o(m) = −o(H − m), so that half of each is kept, where the bins of its parity were.
  std::int64_t n_folded(int parity) const { return parity == 0 ? half_length_ / 2 + 1 : (half_length_ + 1) / 2; }
  double correlation(const double* folded, std::int64_t lag) const {
    const double* odd = folded + stored_row(1, 0);
    if (lag < n_folded(1)) return folded[lag] + odd[lag];
    const std::int64_t mirror = half_length_ - lag;
    return mirror < n_folded(1) ? folded[mirror] - odd[mirror] : folded[mirror];
  }

 private:
  std::int64_t n_frames_;
  std::int64_t half_length_;
  SmallPlan down_, across_;
  std::vector<Root> odd_rows_;
  std::vector<int> mirror_[2];
  std::vector<Root> between_[2];
};

// Smallest-cost product of 2, 3 and 5 that holds n_frames points.
std::int64_t good_half_length(std::int64_t n_frames);

}  // namespace polypace::dynamics
