// Inner loops of the power spectra, compiled once per instruction set (spectrum_kernels_impl.hpp) and chosen at run
// time. The lanes of a vector are independent complex transforms, each of two real series, so that no loop needs a
// shuffle and every load of the work space is a whole number of cache lines.
#pragma once

#include <cstdint>

#include "dynamics/fft_plan.hpp"

namespace polypace::dynamics {

constexpr int max_lanes = 8;
constexpr int segments_per_series = 2;
constexpr int max_slots = segments_per_series * max_lanes;

constexpr int columns_at_once = 4;

// Extent of a row of sums, which is added to by whole vectors.
constexpr std::int64_t padded(std::int64_t n) { return (n + max_lanes - 1) / max_lanes * max_lanes; }

// Coordinates in memory: element (frame, offset) at data[frame · frame_stride + offset].
struct Source {
  const void* data = nullptr;
  bool single_precision = false;
  std::int64_t frame_stride = 0;
  std::int64_t n_frames = 0;
  const double* drift = nullptr;  // [frame][3] or none: subtracted from the coordinates of its direction
};

// One vector of lanes: the series in its real and imaginary parts, and the sums that each lane belongs to.
struct Batch {
  std::int64_t offset[2][max_lanes];
  double center[2][max_lanes];
  double weight[2][max_lanes];  // 1, or 0 where the lane holds no series
  int direction[2][max_lanes];
  int n_slots;
  int segment[max_slots];
  double mask[max_slots][max_lanes];  // [slot][lane]: 1 where the lane belongs to segment[slot]
};

// What the columns and rows of one pass read and write.
struct Pass {
  const FftPlan* plan;
  const Source* source;
  const Batch* batches;
  int n_batches;
  int parity;
  double* work;               // [batch][n_rows][n_columns + 1][2][lanes]; the extra column breaks strides of 2^n
  double* squares;            // [segment][n_columns][padded n_rows], added to in the even pass
  double* spectra;            // [segment][2][n_rows][padded n_columns], added to
  const double* half_spectra;  // inverse: [series][half_length + 1]
  double* correlations;        // inverse: [series][n_frames]
  int n_series;                // inverse
};

struct Kernels {
  int n_lanes;
  // Columns begin … end−1 of every batch: load, transform down, store. `scratch` holds, for columns, 2 · lanes ·
  // columns_at_once · n_rows doubles; for rows, 2 · lanes · n_columns, and lanes times that on the way back.
  void (*columns)(const Pass&, int begin, int end, double* scratch);
  // Rows begin … end−1 of every batch: transform across, add the squared moduli to the spectra.
  void (*rows)(const Pass&, int begin, int end, double* scratch);
  // The same for the way back from power spectra to correlations; two spectra to a lane; rows by frequency.
  void (*inverse_columns)(const Pass&, int begin, int end, double* scratch);
  void (*inverse_rows)(const Pass&, int begin, int end, double* scratch);
};

namespace portable { extern const Kernels kernels; }
namespace avx2 { extern const Kernels kernels; }
namespace avx512 { extern const Kernels kernels; }

}  // namespace polypace::dynamics
