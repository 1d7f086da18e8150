// Inner loops of the power spectra, compiled once per instruction set (spectrum_kernels_impl.hpp) and chosen at run
// time. The lanes of a vector are independent complex transforms, each of two real series, so that no loop needs a
// shuffle and every load of the work space is a whole number of cache lines.
#pragma once

#include <cstdint>

#include "dynamics/fft_plan.hpp"

namespace polypace::dynamics {

constexpr int segments_per_series = 2;
constexpr int max_members = 2 * max_lanes * segments_per_series;

constexpr int columns_at_once = 8;  // whole cache lines of sums, and runs of memory that are worth a page

// Coordinates in memory: element (frame, offset) at data[frame · frame_stride + offset].
struct Source {
  const void* data = nullptr;
  bool single_precision = false;
  std::int64_t frame_stride = 0;
  std::int64_t n_frames = 0;
  const double* drift = nullptr;  // [frame][3] or none: subtracted from the coordinates of its direction
};

// Two series to a lane, in its real and imaginary part, and the sums that they belong to.
struct Batch {
  bool contiguous;  // offset[part][lane] = offset[0][0] + part · lanes + lane
  std::int64_t offset[2][max_lanes];
  double center[2][max_lanes];
  int direction[2][max_lanes];
  int n_slots;
  int segment[max_members];
  int first[max_members + 1];  // members of slot s are member[first[s]] … member[first[s + 1] − 1]
  int member[max_members];     // part · lanes + lane; a lane without a series of its own is member of nothing
};

// What the columns and rows of one pass read and write.
struct Pass {
  const FftPlan* plan;
  const Source* source;
  const Batch* batches;
  int n_batches;
  int parity;
  double* work;           // [batch][n_rows][n_columns + 1][2][lanes]; the extra column breaks strides of 2^n
  double* squares;        // [segment][n_frames], added to in the even pass
  double* spectra;        // [segment][spectrum_size], added to; inverse: [series][spectrum_size], replaced
  int n_series;           // inverse
};

struct Kernels {
  int n_lanes;
  // Columns begin … end−1 (at most columns_at_once) of every batch: load, transform down, store. Scratch: 2 · lanes ·
  // columns_at_once · (n_rows + 1) doubles.
  void (*columns)(const Pass&, int begin, int end, double* scratch);
  // Row f and its mirror image of every batch: transform across, part the two series of each lane, add the squared
  // moduli to the spectra. Scratch: 4 · lanes · n_columns doubles.
  void (*row)(const Pass&, int f, double* scratch);
  // The way back from power spectra to folded correlations, two spectra to a lane: first rows, then columns, whose lags
  // follow one another.
  void (*inverse_row)(const Pass&, int f, double* scratch);
  void (*inverse_columns)(const Pass&, int begin, int end, double* scratch);
};

namespace portable { extern const Kernels kernels; }
namespace avx2 { extern const Kernels kernels; }
namespace avx512 { extern const Kernels kernels; }

}  // namespace polypace::dynamics
