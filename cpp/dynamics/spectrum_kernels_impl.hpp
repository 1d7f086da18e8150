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
inline void step(Complex* x, const Stage& stage) {
  const int m = stage.length / Radix;
  const Root* twiddles = stage.twiddles;
  for (int j = 0; j < m; ++j, twiddles += Radix - 1) {
    Complex b[Radix];
    for (int q = 0; q < Radix; ++q) b[q] = x[j + q * m];
    butterfly<Radix>(b);
    x[j] = b[0];
    for (int s = 1; s < Radix; ++s) x[j + s * m] = b[s] * twiddles[s - 1];
  }
}

// The last step of every block: one butterfly each, whose twiddle factors are all one.
template <int Radix>
inline void last_step(Complex* x, int n_blocks) {
  for (int block = 0; block < n_blocks; ++block, x += Radix) {
    Complex b[Radix];
    for (int q = 0; q < Radix; ++q) b[q] = x[q];
    butterfly<Radix>(b);
    for (int q = 0; q < Radix; ++q) x[q] = b[q];
  }
}

void last_steps(Complex* x, int radix, int n_blocks) {
  switch (radix) {
    case 2: return last_step<2>(x, n_blocks);
    case 3: return last_step<3>(x, n_blocks);
    case 4: return last_step<4>(x, n_blocks);
    default: return last_step<5>(x, n_blocks);
  }
}

// Depth first, so that the blocks of the later steps are still in the fastest cache.
void transform(Complex* x, const Stage& stage) {
  switch (stage.radix) {
    case 2: step<2>(x, stage); break;
    case 3: step<3>(x, stage); break;
    case 4: step<4>(x, stage); break;
    default: step<5>(x, stage); break;
  }
  const Stage& next = (&stage)[1];
  if (next.radix == next.length) return last_steps(x, next.radix, stage.radix);
  for (int block = 0; block < stage.radix; ++block) transform(x + block * next.length, next);
}

void transform(Complex* x, const SmallPlan& plan) {
  if (plan.length() == 1) return;
  const Stage& first = plan.stages()[0];
  if (first.radix == first.length) return last_steps(x, first.radix, 1);
  transform(x, first);
}

inline Vector lanes_of(const double* values) {
  Vector v;
  __builtin_memcpy(&v, values, sizeof v);
  return v;
}

inline double sum_of_lanes(Vector v) {
  double sum = v[0];
  for (int lane = 1; lane < W; ++lane) sum += v[lane];
  return sum;
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

void add_squares(const Pass& pass, const Batch& batch, std::int64_t frame, const Complex& value) {
  const Vector square = value.re * value.re + value.im * value.im;
  for (int slot = 0; slot < batch.n_slots; ++slot)
    pass.squares[batch.segment[slot] * pass.source->n_frames + frame] +=
        sum_of_lanes(square * lanes_of(batch.mask[slot]));
}

// Frames of one column, centred, in the precision of the sums; frames beyond the last one are the zero padding.
template <class Real>
void load_column(const Pass& pass, const Batch& batch, int column, Complex* x) {
  const Source& source = *pass.source;
  const std::int64_t n_columns = pass.plan->n_columns();
  const Vector center_re = lanes_of(batch.center[0]), center_im = lanes_of(batch.center[1]);
  const Vector weight_re = lanes_of(batch.weight[0]), weight_im = lanes_of(batch.weight[1]);
  const auto* data = static_cast<const Real*>(source.data);
  for (int row = 0; row < pass.plan->n_rows(); ++row) {
    const std::int64_t frame = row * n_columns + column;
    if (frame >= source.n_frames) {
      x[row] = Complex{Vector{}, Vector{}};
      continue;
    }
    const Real* coordinates = data + frame * source.frame_stride;
    Complex value{gather(coordinates, batch.offset[0]) - center_re, gather(coordinates, batch.offset[1]) - center_im};
    if (source.drift) {
      value.re -= gather_drift(source.drift + 3 * frame, batch.direction[0]);
      value.im -= gather_drift(source.drift + 3 * frame, batch.direction[1]);
    }
    value.re *= weight_re;
    value.im *= weight_im;
    if (pass.parity == 0) add_squares(pass, batch, frame, value);
    x[row] = pass.parity == 0 ? value : value * pass.plan->odd_rows()[row];
  }
}

void store_column(const Pass& pass, int batch, int column, const Complex* x) {
  const int n_rows = pass.plan->n_rows();
  const Root* between = pass.plan->between(pass.parity) + std::int64_t{column} * n_rows;
  for (int row = 0; row < n_rows; ++row) row_of(pass, batch, row)[column] = x[row] * between[row];
}

void columns(const Pass& pass, int begin, int end, double* scratch) {
  auto* x = reinterpret_cast<Complex*>(scratch);
  for (int column = begin; column < end; ++column)
    for (int batch = 0; batch < pass.n_batches; ++batch) {
      if (pass.source->single_precision)
        load_column<float>(pass, pass.batches[batch], column, x);
      else
        load_column<double>(pass, pass.batches[batch], column, x);
      transform(x, pass.plan->down());
      store_column(pass, batch, column, x);
    }
}

void add_power(const Complex* x, int n, Vector mask, double* spectrum) {
  for (int i = 0; i < n; ++i) spectrum[i] += sum_of_lanes((x[i].re * x[i].re + x[i].im * x[i].im) * mask);
}

void rows(const Pass& pass, int begin, int end) {
  const std::int64_t n_rows = pass.plan->n_rows(), n_columns = pass.plan->n_columns();
  for (int row = begin; row < end; ++row)
    for (int i = 0; i < pass.n_batches; ++i) {
      const Batch& batch = pass.batches[i];
      Complex* x = row_of(pass, i, row);
      transform(x, pass.plan->across());
      for (int slot = 0; slot < batch.n_slots; ++slot)
        add_power(x, static_cast<int>(n_columns), lanes_of(batch.mask[slot]),
                  pass.spectra + ((2 * std::int64_t{batch.segment[slot]} + pass.parity) * n_rows + row) * n_columns);
    }
}

// Power at bin 2n + parity of the padded transform; spectra of real series are even and stored up to half_length.
inline double power_at(const Pass& pass, int series, std::int64_t n) {
  const std::int64_t half = pass.plan->half_length();
  if (series >= pass.n_series) return 0;
  const std::int64_t bin = 2 * n + pass.parity;
  return pass.half_spectra[series * (half + 1) + (bin <= half ? bin : 2 * half - bin)];
}

void inverse_columns(const Pass& pass, int begin, int end, double* scratch) {
  auto* x = reinterpret_cast<Complex*>(scratch);
  const std::int64_t n_rows = pass.plan->n_rows(), n_columns = pass.plan->n_columns();
  for (int column = begin; column < end; ++column)
    for (int batch = 0; batch < pass.n_batches; ++batch) {
      for (std::int64_t row = 0; row < n_rows; ++row)
        for (int lane = 0; lane < W; ++lane) {
          const int series = 2 * (batch * W + lane);
          x[row].re[lane] = power_at(pass, series, row * n_columns + column);
          x[row].im[lane] = power_at(pass, series + 1, row * n_columns + column);
        }
      transform(x, pass.plan->down());
      // Both passes use the factors of the even one: the bins, not the frames, are what is interleaved here.
      const Root* between = pass.plan->between(0) + column * n_rows;
      for (int row = 0; row < n_rows; ++row) row_of(pass, batch, row)[column] = x[row] * between[row];
    }
}

void inverse_rows(const Pass& pass, int begin, int end) {
  const FftPlan& plan = *pass.plan;
  const std::int64_t n_frames = plan.n_frames(), length = 2 * plan.half_length();
  const double scale = 1.0 / static_cast<double>(length);
  for (int row = begin; row < end; ++row)
    for (int batch = 0; batch < pass.n_batches; ++batch) {
      Complex* x = row_of(pass, batch, row);
      transform(x, plan.across());
      for (int column = 0; column < plan.n_columns(); ++column) {
        const std::int64_t lag = plan.bin(0, row, column) / 2;
        if (lag >= n_frames) continue;
        const Complex value = (pass.parity == 0 ? x[column] : x[column] * unit_root(lag, length)) * scale;
        for (int lane = 0; lane < W; ++lane)
          for (int part = 0; part < 2; ++part) {
            const int series = 2 * (batch * W + lane) + part;
            if (series >= pass.n_series) continue;
            pass.correlations[series * n_frames + lag] += part == 0 ? value.re[lane] : value.im[lane];
          }
      }
    }
}

}  // namespace

const Kernels kernels = {W, columns, rows, inverse_columns, inverse_rows};

}  // namespace polypace::dynamics::POLYPACE_ISA
