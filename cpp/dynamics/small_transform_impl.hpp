// Transforms of a few thousand points, W of them at once; part of spectrum_kernels_impl.hpp.
#include "dynamics/fft_plan.hpp"

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

}  // namespace
}  // namespace polypace::dynamics::POLYPACE_ISA
