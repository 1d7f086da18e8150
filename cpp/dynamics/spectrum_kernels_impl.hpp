// Included by one source file per instruction set, which defines POLYPACE_ISA (its namespace) and POLYPACE_LANES.
// Everything here has internal linkage and nothing of the standard library is used: a template shared with other
// files could be linked from this one and meet a processor without these instructions.
#include "dynamics/spectrum_kernels.hpp"

namespace polypace::dynamics::POLYPACE_ISA {
namespace {

constexpr int W = POLYPACE_LANES;
static_assert(W <= max_lanes, "batches have max_lanes lanes");
typedef double Vector __attribute__((vector_size(8 * W), may_alias));

struct Complex {
  Vector re, im;
  Complex() = default;
  Complex(Vector real, Vector imaginary) : re(real), im(imaginary) {}
  // Copied by members: GCC copies the whole of a trivial struct in pieces through memory, four times slower.
  Complex(const Complex& other) : re(other.re), im(other.im) {}
  Complex& operator=(const Complex& other) {
    re = other.re;
    im = other.im;
    return *this;
  }
};

template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  using type = Indices<I...>;
};
using LaneIndices = MakeIndices<W>;

inline Complex operator+(const Complex& a, const Complex& b) { return {a.re + b.re, a.im + b.im}; }
inline Complex operator-(const Complex& a, const Complex& b) { return {a.re - b.re, a.im - b.im}; }
inline Complex times_minus_i(const Complex& a) { return {a.im, -a.re}; }
inline Complex operator*(const Complex& a, const Root& w) {
  return {a.re * w.re - a.im * w.im, a.re * w.im + a.im * w.re};
}
inline Complex operator*(const Complex& a, double s) { return {a.re * s, a.im * s}; }

// b[s] = Σ_q a[q] exp(−2πi qs/radix).
template <int Radix>
inline void butterfly(Complex* b);

template <>
inline void butterfly<2>(Complex* b) {
  const Complex a = b[0];
  b[0] = a + b[1];
  b[1] = a - b[1];
}

template <>
inline void butterfly<3>(Complex* b) {
  constexpr double sine = 0.86602540378443864676;
  const Complex sum = b[1] + b[2];
  const Complex difference = times_minus_i(b[1] - b[2]) * sine;
  const Complex middle = b[0] - sum * 0.5;
  b[0] = b[0] + sum;
  b[1] = middle + difference;
  b[2] = middle - difference;
}

template <>
inline void butterfly<4>(Complex* b) {
  const Complex even_sum = b[0] + b[2], even_difference = b[0] - b[2];
  const Complex odd_sum = b[1] + b[3], odd_difference = times_minus_i(b[1] - b[3]);
  b[0] = even_sum + odd_sum;
  b[1] = even_difference + odd_difference;
  b[2] = even_sum - odd_sum;
  b[3] = even_difference - odd_difference;
}

template <>
inline void butterfly<5>(Complex* b) {
  constexpr double cos1 = 0.30901699437494742410, cos2 = -0.80901699437494742410;
  constexpr double sin1 = 0.95105651629515357212, sin2 = 0.58778525229247312917;
  const Complex sum1 = b[1] + b[4], difference1 = times_minus_i(b[1] - b[4]);
  const Complex sum2 = b[2] + b[3], difference2 = times_minus_i(b[2] - b[3]);
  const Complex even1 = b[0] + sum1 * cos1 + sum2 * cos2, odd1 = difference1 * sin1 + difference2 * sin2;
  const Complex even2 = b[0] + sum1 * cos2 + sum2 * cos1, odd2 = difference1 * sin2 - difference2 * sin1;
  b[0] = b[0] + sum1 + sum2;
  b[1] = even1 + odd1;
  b[2] = even2 + odd2;
  b[3] = even2 - odd2;
  b[4] = even1 - odd1;
}

template <int Radix>
inline void step(const Complex* source, Complex* x, const Stage& stage) {
  const int m = stage.length / Radix;
  const Root* twiddles = stage.twiddles;
  for (int j = 0; j < m; ++j, twiddles += Radix - 1) {
    Complex b[Radix];
    for (int q = 0; q < Radix; ++q) b[q] = source[j + q * m];
    butterfly<Radix>(b);
    x[j] = b[0];
    for (int s = 1; s < Radix; ++s) x[j + s * m] = b[s] * twiddles[s - 1];
  }
}

// The last step of every block: one butterfly each, whose twiddle factors are all one.
template <int Radix>
inline void last_step(const Complex* source, Complex* x, int n_blocks) {
  for (int block = 0; block < n_blocks; ++block, source += Radix, x += Radix) {
    Complex b[Radix];
    for (int q = 0; q < Radix; ++q) b[q] = source[q];
    butterfly<Radix>(b);
    for (int q = 0; q < Radix; ++q) x[q] = b[q];
  }
}

void last_steps(const Complex* source, Complex* x, int radix, int n_blocks) {
  switch (radix) {
    case 2: return last_step<2>(source, x, n_blocks);
    case 3: return last_step<3>(source, x, n_blocks);
    case 4: return last_step<4>(source, x, n_blocks);
    default: return last_step<5>(source, x, n_blocks);
  }
}

// Depth first, so that the blocks of the later steps are still in the fastest cache.
void transform(const Complex* source, Complex* x, const Stage& stage) {
  switch (stage.radix) {
    case 2: step<2>(source, x, stage); break;
    case 3: step<3>(source, x, stage); break;
    case 4: step<4>(source, x, stage); break;
    default: step<5>(source, x, stage); break;
  }
  const Stage& next = (&stage)[1];
  if (next.radix == next.length) return last_steps(x, x, next.radix, stage.radix);
  for (int block = 0; block < stage.radix; ++block) {
    Complex* part = x + block * next.length;
    transform(part, part, next);
  }
}

// From `source` to `x`, which may be the same. Rows are read from the work space but not written back to it.
void transform(const Complex* source, Complex* x, const SmallPlan& plan) {
  const Stage* first = plan.length() == 1 ? nullptr : plan.stages();
  if (!first) {
    *x = *source;
  } else if (first->radix == first->length) {
    last_steps(source, x, first->radix, 1);
  } else {
    transform(source, x, *first);
  }
}

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

// Adds W successive powers to the sums of each slot; sums of a segment lie `segment_stride` apart.
inline void add_to_slots(Vector (&power)[W], const Batch& batch, double* sums, std::int64_t segment_stride) {
  transpose<W / 2>(power);
  for (int slot = 0; slot < batch.n_slots; ++slot) {
    double* target = sums + batch.segment[slot] * segment_stride;
    Vector sum = lanes_of(target);
    for (int lane = 0; lane < W; ++lane) sum += power[lane] * batch.mask[slot][lane];
    __builtin_memcpy(target, &sum, sizeof sum);
  }
}

template <class Real>
inline Vector gather(const Real* frame, const std::int64_t* offset) {
  Vector v;
  for (int lane = 0; lane < W; ++lane) v[lane] = static_cast<double>(frame[offset[lane]]);
  return v;
}

inline Vector gather_drift(const double* drift, const int* direction) {
  Vector v;
  for (int lane = 0; lane < W; ++lane) v[lane] = drift[direction[lane]];
  return v;
}

Complex* row_of(const Pass& pass, int batch, int row) {
  const std::int64_t n_rows = pass.plan->n_rows(), stride = pass.plan->n_columns() + 1;
  return reinterpret_cast<Complex*>(pass.work) + (batch * n_rows + row) * stride;
}

// Rows are far apart in memory, so that each touches pages of its own; a few adjacent columns are taken together.
struct Tile {
  int column;
  int width;
  Complex* columns;  // [width][n_rows]
};

template <class Real>
inline Complex load(const Source& source, const Batch& batch, std::int64_t frame) {
  const Real* coordinates = static_cast<const Real*>(source.data) + frame * source.frame_stride;
  Complex value{gather(coordinates, batch.offset[0]) - lanes_of(batch.center[0]),
                gather(coordinates, batch.offset[1]) - lanes_of(batch.center[1])};
  if (source.drift) {
    value.re -= gather_drift(source.drift + 3 * frame, batch.direction[0]);
    value.im -= gather_drift(source.drift + 3 * frame, batch.direction[1]);
  }
  value.re *= lanes_of(batch.weight[0]);
  value.im *= lanes_of(batch.weight[1]);
  return value;
}

// W rows of one column, centred, and their squares; frames beyond the last one are the zero padding.
template <class Real>
inline void load_rows(const Pass& pass, const Batch& batch, int column, std::int64_t first, Complex* x) {
  const FftPlan& plan = *pass.plan;
  Vector power[W];
  for (int i = 0; i < W; ++i) {
    const std::int64_t row = first + i, frame = row * plan.n_columns() + column;
    if (row >= plan.n_rows() || frame >= pass.source->n_frames) {
      if (row < plan.n_rows()) x[row] = Complex(Vector{}, Vector{});
      power[i] = Vector{};
      continue;
    }
    const Complex value = load<Real>(*pass.source, batch, frame);
    power[i] = value.re * value.re + value.im * value.im;
    x[row] = pass.parity == 0 ? value : value * plan.odd_rows()[row];
  }
  if (pass.parity == 1) return;
  const std::int64_t height = padded(plan.n_rows());
  add_to_slots(power, batch, pass.squares + column * height + first, plan.n_columns() * height);
}

template <class Real>
void load_tile(const Pass& pass, const Batch& batch, const Tile& tile) {
  const int n_rows = pass.plan->n_rows();
  for (int first = 0; first < n_rows; first += W)
    for (int i = 0; i < tile.width; ++i)
      load_rows<Real>(pass, batch, tile.column + i, first, tile.columns + std::int64_t{i} * n_rows);
}

// Down the columns of a tile and on to the work space. The way back interleaves bins instead of frames and so uses
// the factors of the even pass in both.
void transform_tile(const Pass& pass, int batch, const Tile& tile, int parity) {
  const int n_rows = pass.plan->n_rows();
  for (int i = 0; i < tile.width; ++i) {
    Complex* column = tile.columns + std::int64_t{i} * n_rows;
    transform(column, column, pass.plan->down());
  }
  const Root* between = pass.plan->between(parity) + std::int64_t{tile.column} * n_rows;
  for (int row = 0; row < n_rows; ++row) {
    Complex* target = row_of(pass, batch, row) + tile.column;
    for (int i = 0; i < tile.width; ++i) target[i] = tile.columns[i * n_rows + row] * between[i * n_rows + row];
  }
}

void columns(const Pass& pass, int begin, int end, double* scratch) {
  for (int column = begin; column < end; column += columns_at_once) {
    const int width = end - column < columns_at_once ? end - column : columns_at_once;
    const Tile tile{column, width, reinterpret_cast<Complex*>(scratch)};
    for (int batch = 0; batch < pass.n_batches; ++batch) {
      if (pass.source->single_precision)
        load_tile<float>(pass, pass.batches[batch], tile);
      else
        load_tile<double>(pass, pass.batches[batch], tile);
      transform_tile(pass, batch, tile, pass.parity);
    }
  }
}

void rows(const Pass& pass, int begin, int end, double* scratch) {
  const std::int64_t n_rows = pass.plan->n_rows(), n_columns = pass.plan->n_columns();
  const std::int64_t parity_stride = n_rows * padded(n_columns);
  Complex* x = reinterpret_cast<Complex*>(scratch);
  for (int row = begin; row < end; ++row)
    for (int batch = 0; batch < pass.n_batches; ++batch) {
      transform(row_of(pass, batch, row), x, pass.plan->across());
      double* spectrum = pass.spectra + pass.parity * parity_stride + row * padded(n_columns);
      for (std::int64_t first = 0; first < n_columns; first += W) {
        Vector power[W];
        for (int i = 0; i < W; ++i)
          power[i] = first + i < n_columns ? x[first + i].re * x[first + i].re + x[first + i].im * x[first + i].im
                                           : Vector{};
        add_to_slots(power, pass.batches[batch], spectrum + first, 2 * parity_stride);
      }
    }
}

int series_in(const Pass& pass, int batch) {
  const int left = pass.n_series - 2 * W * batch;
  return left < 2 * W ? left : 2 * W;
}

// Spectra of real series are even and stored up to half_length; bin 2n + parity is the n-th of its pass.
void load_spectrum_tile(const Pass& pass, int batch, const Tile& tile) {
  const std::int64_t half = pass.plan->half_length(), n_rows = pass.plan->n_rows();
  const double* spectra = pass.half_spectra + 2 * W * batch * (half + 1);
  const int n_series = series_in(pass, batch);
  for (std::int64_t row = 0; row < n_rows; ++row)
    for (int i = 0; i < tile.width; ++i) {
      const std::int64_t bin = 2 * (row * pass.plan->n_columns() + tile.column + i) + pass.parity;
      const double* power = spectra + (bin <= half ? bin : 2 * half - bin);
      double parts[2][W] = {};
      for (int series = 0; series < n_series; ++series) parts[series % 2][series / 2] = power[series * (half + 1)];
      tile.columns[i * n_rows + row] = Complex(lanes_of(parts[0]), lanes_of(parts[1]));
    }
}

void inverse_columns(const Pass& pass, int begin, int end, double* scratch) {
  for (int column = begin; column < end; column += columns_at_once) {
    const int width = end - column < columns_at_once ? end - column : columns_at_once;
    const Tile tile{column, width, reinterpret_cast<Complex*>(scratch)};
    for (int batch = 0; batch < pass.n_batches; ++batch) {
      load_spectrum_tile(pass, batch, tile);
      transform_tile(pass, batch, tile, 0);
    }
  }
}

// The lags of rows whose frequencies follow one another are neighbours in memory: W rows make up whole vectors.
void add_lags(const Pass& pass, int batch, int frequency, int n, const Complex* x) {
  const FftPlan& plan = *pass.plan;
  const double scale = 0.5 / static_cast<double>(plan.half_length());
  Root root[W];
  for (int i = 0; i < n; ++i) root[i] = unit_root(frequency + i, 2 * plan.half_length());
  for (int column = 0; column < plan.n_columns(); ++column) {
    const std::int64_t lag = frequency + std::int64_t{plan.n_rows()} * plan.across().frequency()[column];
    const std::int64_t left = plan.n_frames() - lag;
    if (left <= 0) continue;
    Vector parts[2][W] = {};
    for (int i = 0; i < n; ++i) {
      const Complex value = x[i * plan.n_columns() + column] * scale;
      const Complex turned = pass.parity == 0 ? value : value * root[i] * plan.odd_columns()[column];
      parts[0][i] = turned.re;
      parts[1][i] = turned.im;
    }
    transpose<W / 2>(parts[0]);
    transpose<W / 2>(parts[1]);
    double* correlation = pass.correlations + 2 * W * batch * plan.n_frames() + lag;
    for (int series = 0; series < series_in(pass, batch); ++series, correlation += plan.n_frames()) {
      const Vector& part = parts[series % 2][series / 2];
      for (int i = 0; i < n && i < left; ++i) correlation[i] += part[i];
    }
  }
}

void inverse_rows(const Pass& pass, int begin, int end, double* scratch) {
  Complex* x = reinterpret_cast<Complex*>(scratch);
  for (int first = begin; first < end; first += W) {
    const int n = end - first < W ? end - first : W;
    for (int batch = 0; batch < pass.n_batches; ++batch) {
      for (int i = 0; i < n; ++i)
        transform(row_of(pass, batch, pass.plan->down().position()[first + i]), x + i * pass.plan->n_columns(),
                  pass.plan->across());
      add_lags(pass, batch, first, n, x);
    }
  }
}

}  // namespace

const Kernels kernels = {W, columns, rows, inverse_columns, inverse_rows};

}  // namespace polypace::dynamics::POLYPACE_ISA
