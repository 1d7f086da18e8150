// W doubles as one value, through the vector extensions of GCC and Clang. Included by kernels only, inside their own
// namespace, with POLYPACE_WIDTH defined.

typedef double Vec __attribute__((vector_size(8 * POLYPACE_WIDTH)));
typedef double LooseVec __attribute__((vector_size(8 * POLYPACE_WIDTH), aligned(8)));
typedef long long Integers __attribute__((vector_size(8 * POLYPACE_WIDTH)));
constexpr int width = POLYPACE_WIDTH;

inline Vec broadcast(double value) { return value - Vec{}; }
inline Vec load(const double* address) { return *reinterpret_cast<const Vec*>(address); }
inline Vec load_loose(const double* address) { return *reinterpret_cast<const LooseVec*>(address); }
inline void store(double* address, Vec value) { *reinterpret_cast<Vec*>(address) = value; }

// Compilers do not make one instruction of a loop over lanes here.
inline Vec square_root(Vec value) {
#if defined(__AVX512F__) && POLYPACE_WIDTH == 8
  return (Vec)_mm512_sqrt_pd((__m512d)value);
#elif defined(__AVX2__) && POLYPACE_WIDTH == 4
  return (Vec)_mm256_sqrt_pd((__m256d)value);
#elif defined(__SSE2__) && POLYPACE_WIDTH == 2
  return (Vec)_mm_sqrt_pd((__m128d)value);
#else
  Vec result;
  for (int lane = 0; lane < width; ++lane) result[lane] = __builtin_sqrt(value[lane]);
  return result;
#endif
}

inline Vec absolute(Vec value) { return value < 0 ? -value : value; }
inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }

// rows[i][j] ↔ rows[j][i], in log2(W) rounds of two-input shuffles.
inline void transpose(Vec (&rows)[POLYPACE_WIDTH]) {
#if POLYPACE_WIDTH == 2
  const Vec a = rows[0], b = rows[1];
  rows[0] = __builtin_shufflevector(a, b, 0, 2);
  rows[1] = __builtin_shufflevector(a, b, 1, 3);
#elif POLYPACE_WIDTH == 4
  const Vec a = __builtin_shufflevector(rows[0], rows[1], 0, 4, 2, 6);
  const Vec b = __builtin_shufflevector(rows[0], rows[1], 1, 5, 3, 7);
  const Vec c = __builtin_shufflevector(rows[2], rows[3], 0, 4, 2, 6);
  const Vec d = __builtin_shufflevector(rows[2], rows[3], 1, 5, 3, 7);
  rows[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  rows[1] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  rows[2] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  rows[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
#else
  Vec t[8], u[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    t[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; ++j) {
      u[i + j] = __builtin_shufflevector(t[i + j], t[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      u[i + j + 2] = __builtin_shufflevector(t[i + j], t[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; ++i) {
    rows[i] = __builtin_shufflevector(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    rows[i + 4] = __builtin_shufflevector(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
#endif
}
