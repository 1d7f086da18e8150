// Included by one source file per instruction set, which defines POLYPACE_ISA (its namespace) and POLYPACE_LANES.
// Everything here has internal linkage and nothing of the standard library is used: a template shared with other
// files could be linked from this one and meet a processor without these instructions.
#include "dynamics/spectrum_kernels.hpp"

#include "dynamics/small_transform_impl.hpp"

namespace polypace::dynamics::POLYPACE_ISA {
namespace {

inline Vector lanes_of(const double* values) {
  Vector v;
  __builtin_memcpy(&v, values, sizeof v);
  return v;
}

// Swaps the off-diagonal blocks of size Stride of every 2·Stride square in the matrix of two vectors.
template <int Stride, int... I>
inline void swap_blocks(Vector& a, Vector& b, Indices<I...>) {
  const Vector low = __builtin_shufflevector(a, b, ((I & Stride) ? W + I - Stride : I)...);
  b = __builtin_shufflevector(a, b, ((I & Stride) ? W + I : I + Stride)...);
  a = low;
}

template <int Stride>
inline void transpose(Vector (&rows)[W]) {
  for (int i = 0; i < W; ++i)
    if (!(i & Stride)) swap_blocks<Stride>(rows[i], rows[i + Stride], LaneIndices::type{});
  if constexpr (Stride > 1) transpose<Stride / 2>(rows);
}

// Adds the squares of W successive points (the first `count` of them) to the sums of each slot; sums of a segment lie
// `stride` apart.
inline void add_to_slots(Vector (&power)[2][W], const Batch& batch, double* sums, std::int64_t stride, int count) {
  transpose<W / 2>(power[0]);
  transpose<W / 2>(power[1]);
  const Vector* of_member = power[0];
  for (int slot = 0; slot < batch.n_slots; ++slot) {
    Vector sum = of_member[batch.member[batch.first[slot]]];
    for (int m = batch.first[slot] + 1; m < batch.first[slot + 1]; ++m) sum += of_member[batch.member[m]];
    double* target = sums + batch.segment[slot] * stride;
    if (count == W) {
      sum += lanes_of(target);
      __builtin_memcpy(target, &sum, sizeof sum);
    } else {
      for (int i = 0; i < count; ++i) target[i] += sum[i];
    }
  }
}

template <class Real>
inline Vector gather(const Real* values, const std::int64_t* offset) {
  Vector v;
  for (int lane = 0; lane < W; ++lane) v[lane] = static_cast<double>(values[offset[lane]]);
  return v;
}

inline Vector gather_drift(const double* drift, const int* direction) {
  Vector v;
  for (int lane = 0; lane < W; ++lane) v[lane] = drift[direction[lane]];
  return v;
}

inline Vector converted(const double* values) { return lanes_of(values); }

inline Vector converted(const float* values) {
  typedef float Floats __attribute__((vector_size(4 * W)));
  Floats v;
  __builtin_memcpy(&v, values, sizeof v);
  return __builtin_convertvector(v, Vector);
}

Complex* row_of(const Pass& pass, int batch, int row) {
  const std::int64_t n_rows = pass.plan->n_rows(), stride = pass.plan->n_columns() + 1;
  return reinterpret_cast<Complex*>(pass.work) + (batch * n_rows + row) * stride;
}

// Rows are far apart in memory, so that each touches pages of its own; a few adjacent columns are taken together.
struct Tile {
  int column;
  int width;
  std::int64_t height;  // n_rows + 1: columns 2^n apart would share the same lines of the cache
  Complex* columns;     // [width][height]
};

Tile tile_of(const Pass& pass, int begin, int end, double* scratch) {
  return {begin, end - begin, std::int64_t{pass.plan->n_rows()} + 1, reinterpret_cast<Complex*>(scratch)};
}

inline int smallest(std::int64_t a, std::int64_t b, std::int64_t c) {
  const std::int64_t d = a < b ? a : b;
  return static_cast<int>(d < c ? d : c);
}

template <class Real>
inline Complex load(const Source& source, const Batch& batch, std::int64_t frame) {
  const Real* coordinates = static_cast<const Real*>(source.data) + frame * source.frame_stride;
  Complex value;
  if (batch.contiguous) {
    value.re = converted(coordinates + batch.offset[0][0]);
    value.im = converted(coordinates + batch.offset[1][0]);
  } else {
    value.re = gather(coordinates, batch.offset[0]);
    value.im = gather(coordinates, batch.offset[1]);
  }
  value.re -= lanes_of(batch.center[0]);
  value.im -= lanes_of(batch.center[1]);
  if (source.drift) {
    value.re -= gather_drift(source.drift + 3 * frame, batch.direction[0]);
    value.im -= gather_drift(source.drift + 3 * frame, batch.direction[1]);
  }
  return value;
}

// W adjacent columns of one row, centred, and their squares; frames beyond the last one are the zero padding.
template <class Real>
inline void load_row(const Pass& pass, const Batch& batch, const Tile& tile, int row, int first) {
  const std::int64_t frame = std::int64_t{row} * pass.plan->n_columns() + tile.column + first;
  const int width = tile.width - first < W ? tile.width - first : W;
  const int count = smallest(W, width, pass.source->n_frames - frame);
  Complex* x = tile.columns + first * tile.height + row;
  Vector power[2][W];
  for (int i = 0; i < W; ++i) {
    if (i >= count) {
      if (i < width) x[i * tile.height] = Complex(Vector{}, Vector{});
      power[0][i] = power[1][i] = Vector{};
      continue;
    }
    const Complex value = load<Real>(*pass.source, batch, frame + i);
    power[0][i] = value.re * value.re;
    power[1][i] = value.im * value.im;
    x[i * tile.height] = pass.parity == 0 ? value : value * pass.plan->odd_rows()[row];
  }
  if (pass.parity == 0 && count > 0)
    add_to_slots(power, batch, pass.squares + frame, pass.source->n_frames, count);
}

// The processor guesses runs of memory but not strides of whole rows.
template <class Real>
inline void fetch_row(const Pass& pass, const Batch& batch, const Tile& tile, std::int64_t row) {
  const std::int64_t frame = row * pass.plan->n_columns() + tile.column;
  if (frame + tile.width > pass.source->n_frames) return;
  const Real* first = static_cast<const Real*>(pass.source->data) + frame * pass.source->frame_stride;
  for (int i = 0; i < tile.width; ++i, first += pass.source->frame_stride) {
    __builtin_prefetch(first + batch.offset[0][0]);
    __builtin_prefetch(first + batch.offset[1][W - 1]);
  }
}

template <class Real>
void load_tile(const Pass& pass, const Batch& batch, const Tile& tile) {
  constexpr int rows_ahead = 4;
  for (int row = 0; row < pass.plan->n_rows(); ++row) {
    fetch_row<Real>(pass, batch, tile, row + rows_ahead);
    for (int first = 0; first < tile.width; first += W) load_row<Real>(pass, batch, tile, row, first);
  }
}

void transform_down(const Pass& pass, const Tile& tile) {
  for (int i = 0; i < tile.width; ++i) {
    Complex* column = tile.columns + i * tile.height;
    transform(column, column, pass.plan->down());
  }
}

void store_tile(const Pass& pass, int batch, const Tile& tile) {
  const int n_rows = pass.plan->n_rows();
  const Root* between = pass.plan->between(pass.parity) + std::int64_t{tile.column} * n_rows;
  for (int row = 0; row < n_rows; ++row) {
    Complex* target = row_of(pass, batch, row) + tile.column;
    for (int i = 0; i < tile.width; ++i)
      target[i] = tile.columns[i * tile.height + row] * between[std::int64_t{i} * n_rows + row];
  }
}

void columns(const Pass& pass, int begin, int end, double* scratch) {
  const Tile tile = tile_of(pass, begin, end, scratch);
  for (int batch = 0; batch < pass.n_batches; ++batch) {
    if (pass.source->single_precision)
      load_tile<float>(pass, pass.batches[batch], tile);
    else
      load_tile<double>(pass, pass.batches[batch], tile);
    transform_down(pass, tile);
    store_tile(pass, batch, tile);
  }
}

// Of Z = X + iY with real series x and y, 2X(k) = Z(k) + Z*(−k) and 2iY(k) = Z(k) − Z*(−k).
inline void add_powers(const Pass& pass, const Batch& batch, int f, const Complex* x, const Complex* mirror) {
  const FftPlan& plan = *pass.plan;
  const int* position = plan.mirror_positions(pass.parity, f);
  double* spectrum = pass.spectra + plan.stored_row(pass.parity, f);
  for (int first = 0; first < plan.n_columns(); first += W) {
    Vector power[2][W];
    for (int i = 0; i < W; ++i) {
      if (first + i >= plan.n_columns()) {
        power[0][i] = power[1][i] = Vector{};
        continue;
      }
      const Complex z = x[first + i], m = mirror[position[first + i]];
      const Vector xr = z.re + m.re, xi = z.im - m.im, yr = z.im + m.im, yi = z.re - m.re;
      power[0][i] = (xr * xr + xi * xi) * 0.25;
      power[1][i] = (yr * yr + yi * yi) * 0.25;
    }
    add_to_slots(power, batch, spectrum + first, plan.spectrum_size(), W);
  }
}

void row(const Pass& pass, int f, double* scratch) {
  const FftPlan& plan = *pass.plan;
  const int mirror = plan.mirror_row(pass.parity, f);
  Complex* x = reinterpret_cast<Complex*>(scratch);
  Complex* y = mirror == f ? x : x + plan.n_columns();
  for (int batch = 0; batch < pass.n_batches; ++batch) {
    transform(row_of(pass, batch, plan.down().position()[f]), x, plan.across());
    if (y != x) transform(row_of(pass, batch, plan.down().position()[mirror]), y, plan.across());
    add_powers(pass, pass.batches[batch], f, x, y);
  }
}

// Lanes without a spectrum repeat the last one.
void inverse_row(const Pass& pass, int f, double* scratch) {
  const FftPlan& plan = *pass.plan;
  const bool stored = f < plan.stored_rows(pass.parity);
  const std::int64_t offset = plan.stored_row(pass.parity, stored ? f : plan.mirror_row(pass.parity, f));
  const int* mirror = plan.mirror_positions(pass.parity, f);
  const int* position = plan.across().position();
  Complex* x = reinterpret_cast<Complex*>(scratch);
  for (int batch = 0; batch < pass.n_batches; ++batch) {
    std::int64_t spectrum[2 * W];
    for (int i = 0; i < 2 * W; ++i) {
      const int series = 2 * W * batch + i < pass.n_series ? 2 * W * batch + i : pass.n_series - 1;
      spectrum[i] = series * plan.spectrum_size() + offset;
    }
    for (int g = 0; g < plan.n_columns(); ++g) {
      const double* power = pass.spectra + (stored ? position[g] : mirror[position[g]]);
      x[g] = Complex(gather(power, spectrum), gather(power, spectrum + W));
    }
    transform(x, x, plan.across());
    Complex* target = row_of(pass, batch, f);
    for (int column = 0; column < plan.n_columns(); ++column) target[column] = x[position[column]];
  }
}

void load_inverse_tile(const Pass& pass, int batch, const Tile& tile) {
  const FftPlan& plan = *pass.plan;
  const Root* between = plan.between(pass.parity) + std::int64_t{tile.column} * plan.n_rows();
  for (int f = 0; f < plan.n_rows(); ++f) {
    const Complex* source = row_of(pass, batch, f) + tile.column;
    const Root* factor = between + plan.down().position()[f];
    for (int i = 0; i < tile.width; ++i)
      tile.columns[i * tile.height + f] = source[i] * factor[std::int64_t{i} * plan.n_rows()];
  }
}

// Up to W successive lags of all spectra of a batch.
void put_lags(const Pass& pass, int batch, const Tile& tile, int row, int first) {
  const FftPlan& plan = *pass.plan;
  const std::int64_t lag = std::int64_t{row} * plan.n_columns() + tile.column + first;
  const int count = smallest(W, tile.width - first, plan.n_folded(pass.parity) - lag);
  if (count <= 0) return;
  const double scale = 0.5 / static_cast<double>(plan.half_length());
  const Complex* x = tile.columns + first * tile.height + plan.down().position()[row];
  Vector parts[2][W] = {};
  for (int i = 0; i < count; ++i) {
    const Complex value = x[i * tile.height] * scale;
    const Complex turned = pass.parity == 0 ? value : value * plan.odd_rows()[row];
    parts[0][i] = turned.re;
    parts[1][i] = turned.im;
  }
  transpose<W / 2>(parts[0]);
  transpose<W / 2>(parts[1]);
  double* folded = pass.spectra + plan.stored_row(pass.parity, 0) + lag;
  for (int k = 0; k < 2 * W && 2 * W * batch + k < pass.n_series; ++k) {
    double* correlation = folded + (2 * W * batch + k) * plan.spectrum_size();
    const Vector& part = parts[k / W][k % W];
    for (int i = 0; i < count; ++i) correlation[i] = part[i];
  }
}

void inverse_columns(const Pass& pass, int begin, int end, double* scratch) {
  const Tile tile = tile_of(pass, begin, end, scratch);
  const int n_rows = static_cast<int>((pass.plan->n_folded(pass.parity) - 1) / pass.plan->n_columns()) + 1;
  for (int batch = 0; batch < pass.n_batches; ++batch) {
    load_inverse_tile(pass, batch, tile);
    transform_down(pass, tile);
    for (int row = 0; row < n_rows; ++row)
      for (int first = 0; first < tile.width; first += W) put_lags(pass, batch, tile, row, first);
  }
}

}  // namespace

const Kernels kernels = {W, columns, row, inverse_row, inverse_columns};

}  // namespace polypace::dynamics::POLYPACE_ISA
