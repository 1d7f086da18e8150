// The kernels, compiled several times: define POLYPACE_WIDTH and POLYPACE_KERNEL, then include.
// Equations: docs/explanation/ace.md; why it is done this way: docs/explanation/performance.md.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "ace/kernel.hpp"

// Loops whose bounds are known at compile time become straight code, arrays become registers.
#define POLYPACE_UNROLL _Pragma("GCC unroll 8")

namespace polypace::ace::kernel {
namespace {

#include "ace/simd.hpp"

constexpr int largest_l = 16;
constexpr int n_legendre = (largest_l + 1) * (largest_l + 2) / 2;
constexpr int n_harmonics = (largest_l + 1) * (largest_l + 1);

// P_lm(z) and, with derivatives, dP_lm/dz.
template <bool with_derivatives>
inline void legendre(const ProgramView& program, int l_max, Vec z, Vec* p, Vec* dp) {
  const double *first = program.legendre_first, *second = program.legendre_second;
  p[0] = broadcast(1);
  if (with_derivatives) dp[0] = Vec{};
  POLYPACE_UNROLL
  for (int l = 1; l <= l_max; ++l) {
    const int row = l * (l + 1) / 2, above = row - l, above2 = above - (l - 1);
    POLYPACE_UNROLL
    for (int m = 0; m <= l - 2; ++m) {
      const double a = first[row + m], b = second[row + m];
      p[row + m] = a * (z * p[above + m] + b * p[above2 + m]);
      if (with_derivatives) dp[row + m] = a * (p[above + m] + z * dp[above + m] + b * dp[above2 + m]);
    }
    const Vec diagonal = p[above + l - 1];  // P_{l−1,l−1} is a constant
    p[row + l - 1] = first[row + l - 1] * z * diagonal;
    p[row + l] = first[row + l] * diagonal;
    if (with_derivatives) {
      dp[row + l - 1] = first[row + l - 1] * diagonal;
      dp[row + l] = Vec{};
    }
  }
}

// √2 Re (x + iy)^m, √2 Im (x + iy)^m.
inline void powers(int l_max, Vec x, Vec y, Vec* re, Vec* im) {
  re[0] = broadcast(__builtin_sqrt(2.0));
  im[0] = Vec{};
  POLYPACE_UNROLL
  for (int m = 1; m <= l_max; ++m) {
    re[m] = x * re[m - 1] - y * im[m - 1];
    im[m] = x * im[m - 1] + y * re[m - 1];
  }
}

inline double* record_of(const Block& block, int row) {
  return block.records + static_cast<std::int64_t>(row) * block.record_stride;
}

// known_l: l_max at compile time, so that everything stays in registers; −1 for any.
template <int known_l>
void harmonics_of_rows(const ProgramView& program, const Block& block, int begin, int end, int any_l) {
  constexpr int room = known_l >= 0 ? known_l : largest_l;
  const int l_max = known_l >= 0 ? known_l : any_l;
  Vec p[(room + 1) * (room + 2) / 2], re[room + 1], im[room + 1];
  for (int row = begin; row < end; ++row) {
    const double* d = block.displacements + static_cast<std::int64_t>(row) * 3 * width;
    double* record = record_of(block, row);
    const Vec dx = load(d), dy = load(d + width), dz = load(d + 2 * width);
    const Vec inverse = 1.0 / square_root(dx * dx + dy * dy + dz * dz);
    const Vec x = dx * inverse, y = dy * inverse, z = dz * inverse;
    store(record, x);
    store(record + width, y);
    store(record + 2 * width, z);
    store(record + 3 * width, inverse);
    legendre<false>(program, l_max, z, p, nullptr);
    powers(l_max, x, y, re, im);
    double* harmonics = record + block.harmonics_offset;
    POLYPACE_UNROLL
    for (int l = 0; l <= l_max; ++l) {
      const Vec* q = p + l * (l + 1) / 2;
      double* target = harmonics + l * l * width;
      store(target, q[0]);
      POLYPACE_UNROLL
      for (int m = 1; m <= l; ++m) {
        store(target + (2 * m - 1) * width, q[m] * re[m]);
        store(target + 2 * m * width, q[m] * im[m]);
      }
    }
  }
}

void geometry(const ProgramView& program, const Block& block) {
  int begin = 0;
  for (int species = 0; species < program.n_species; ++species) {
    const int end = block.segment_ends[species], l_max = program.neighbors[species].l_max;
    switch (l_max) {
      case 0: harmonics_of_rows<0>(program, block, begin, end, l_max); break;
      case 1: harmonics_of_rows<1>(program, block, begin, end, l_max); break;
      case 2: harmonics_of_rows<2>(program, block, begin, end, l_max); break;
      case 3: harmonics_of_rows<3>(program, block, begin, end, l_max); break;
      case 4: harmonics_of_rows<4>(program, block, begin, end, l_max); break;
      case 5: harmonics_of_rows<5>(program, block, begin, end, l_max); break;
      default: harmonics_of_rows<-1>(program, block, begin, end, l_max);
    }
    begin = end;
  }
}

// Hermite interpolation, one neighbour after the other along the columns, then transposed to lanes.
inline void interpolate(const NeighborView& neighbor, const Block& block, double* record) {
  const double scale = neighbor.scale;
  const Vec s = scale / load(record + 3 * width);
  const Integers q = __builtin_convertvector(s < double(neighbor.n_intervals) ? s : broadcast(neighbor.n_intervals + 1.5), Integers);
  const Vec w = s - __builtin_convertvector(q, Vec);
  // In memory, where instructions broadcast single lanes at no cost; the barrier keeps the compiler from loading all
  // of them first, for which there are not enough registers.
  alignas(64) double weights[6][POLYPACE_WIDTH];
  store(weights[0], w * w * (3.0 - 2.0 * w));
  store(weights[1], w * (1.0 - w) * (1.0 - w));
  store(weights[2], w * w * (w - 1.0));
  store(weights[3], 6.0 * scale * w * (1.0 - w));
  store(weights[4], scale * (1.0 - w) * (1.0 - 3.0 * w));
  store(weights[5], scale * w * (3.0 * w - 2.0));
  const int stride = neighbor.stride;
  const double* rows[POLYPACE_WIDTH];
  for (int lane = 0; lane < width; ++lane) rows[lane] = neighbor.rows + q[lane] * 2 * stride;
  for (int column = 0; column < neighbor.n_columns; column += width) {
    Vec values[POLYPACE_WIDTH], derivatives[POLYPACE_WIDTH];
    for (int lane = 0; lane < width; ++lane) {
      __asm__ volatile("" : : "r"(weights) : "memory");
      const double* row = rows[lane] + column;
      const Vec f = load(row), df = load(row + stride);
      const Vec step = load(row + 2 * stride) - f, df_next = load(row + 3 * stride);
      values[lane] = f + step * weights[0][lane] + df * weights[1][lane] + df_next * weights[2][lane];
      derivatives[lane] = step * weights[3][lane] + df * weights[4][lane] + df_next * weights[5][lane];
    }
    transpose(values);
    transpose(derivatives);
    double* target = record + block.columns_offset + column * width;
    double* d_target = record + block.derivatives_offset + column * width;
    for (int i = 0; i < width; ++i) {
      store(target + i * width, values[i]);
      store(d_target + i * width, derivatives[i]);
    }
  }
}

void radial(const ProgramView& program, const Block& block) {
  int row = 0;
  for (int species = 0; species < program.n_species; ++species)
    for (; row < block.segment_ends[species]; ++row)
      interpolate(program.neighbors[species], block, record_of(block, row));
}

// A[slots…] = Σ_rows column · Y_l for `n_columns` columns at once, which share the loads of the harmonics.
template <int size, int n_columns>
inline void accumulate(const Block& block, int begin, int end, const int* columns, const int* slots) {
  constexpr int l2 = (size - 1) / 2 * ((size - 1) / 2);
  Vec sums[n_columns][size] = {};
  for (int row = begin; row < end; ++row) {
    const double* record = record_of(block, row);
    const double* harmonics = record + block.harmonics_offset + l2 * width;
    Vec r[n_columns];
    for (int i = 0; i < n_columns; ++i) r[i] = load(record + block.columns_offset + columns[i] * width);
    for (int c = 0; c < size; ++c) {
      const Vec y = load(harmonics + c * width);
      for (int i = 0; i < n_columns; ++i) sums[i][c] += r[i] * y;
    }
  }
  for (int i = 0; i < n_columns; ++i)
    for (int c = 0; c < size; ++c) store(block.slots + (slots[i] + c) * width, sums[i][c]);
}

// Any l: one component after the other.
inline void accumulate_any(const Block& block, int begin, int end, int l, int column, int slot) {
  for (int c = 0; c < 2 * l + 1; ++c) {
    Vec sum{};
    for (int row = begin; row < end; ++row) {
      const double* record = record_of(block, row);
      sum += load(record + block.columns_offset + column * width) *
             load(record + block.harmonics_offset + (l * l + c) * width);
    }
    store(block.slots + (slot + c) * width, sum);
  }
}

template <int size, int n_columns>
inline void accumulate_group(const Block& block, int begin, int end, const GroupView& group) {
  int i = 0;
  for (; i + n_columns <= group.n; i += n_columns)
    accumulate<size, n_columns>(block, begin, end, group.columns + i, group.slots + i);
  for (; i < group.n; ++i) accumulate<size, 1>(block, begin, end, group.columns + i, group.slots + i);
}

void atomic_basis(const ProgramView& program, const Block& block) {
  int begin = 0;
  for (int species = 0; species < program.n_species; ++species) {
    const NeighborView& neighbor = program.neighbors[species];
    const int end = block.segment_ends[species];
    for (int g = 0; g < neighbor.n_groups; ++g) {
      const GroupView& group = neighbor.groups[g];
      switch (group.l) {
        case 0: accumulate_group<1, 8>(block, begin, end, group); break;
        case 1: accumulate_group<3, 4>(block, begin, end, group); break;
        case 2: accumulate_group<5, 2>(block, begin, end, group); break;
        case 3: accumulate_group<7, 2>(block, begin, end, group); break;
        case 4: accumulate_group<9, 1>(block, begin, end, group); break;
        default:
          for (int i = 0; i < group.n; ++i)
            accumulate_any(block, begin, end, group.l, group.columns[i], group.slots[i]);
      }
    }
    if (neighbor.core_column >= 0) {
      Vec sum = load(block.core);
      for (int row = begin; row < end; ++row)
        sum += load(record_of(block, row) + block.columns_offset + neighbor.core_column * width);
      store(block.core, sum);
    }
    begin = end;
  }
}

inline void couple_forward(const TableView& table, const BlockView& pair, const Block& block) {
  const double *left = block.slots + pair.left * width, *right = block.slots + pair.right * width;
  for (int p = 0; p < table.n_products; ++p)
    store(block.products + p * width, load(left + table.left[p] * width) * load(right + table.right[p] * width));
  double* outputs = block.slots + pair.outputs * width;
  for (int o = 0; o < table.n_outputs; ++o) {
    Vec sum{};
    for (int t = table.output_begin[o]; t < table.output_begin[o + 1]; ++t)
      sum += table.output_weight[t] * load(block.products + table.output_product[t] * width);
    store(outputs + o * width, sum);
  }
}

inline void couple_backward(const TableView& table, const BlockView& pair, const Block& block) {
  const double *left = block.slots + pair.left * width, *right = block.slots + pair.right * width;
  double *d_left = block.adjoints + pair.left * width, *d_right = block.adjoints + pair.right * width;
  const double* outputs = block.adjoints + pair.outputs * width;
  for (int p = 0; p < table.n_products;) {
    // Products come sorted by their left operand. Left and right may be the same multiplet.
    const int i = table.left[p] * width;
    const Vec a = load(left + i);
    Vec d_a{};
    for (; p < table.n_products && table.left[p] * width == i; ++p) {
      Vec sum{};
      for (int t = table.product_begin[p]; t < table.product_begin[p + 1]; ++t)
        sum += table.product_weight[t] * load(outputs + table.product_output[t] * width);
      const int j = table.right[p] * width;
      d_a += sum * load(right + j);
      store(d_right + j, load(d_right + j) + sum * a);
    }
    store(d_left + i, load(d_left + i) + d_a);
  }
}

#include "ace/kernel_adjoint.hpp"

// B_t = scale · X·Z, and the densities where asked.
template <bool with_densities>
inline void evaluate_terms(const ProgramView& program, const Block& block) {
  const int n_densities = program.n_densities;
  for (int p = 0; with_densities && p < n_densities; ++p) store(block.densities + p * width, Vec{});
  for (int t = 0; t < program.n_terms; ++t) {
    const TermView& term = program.terms[t];
    const double *x = block.slots + term.left * width, *z = block.slots + term.right * width;
    Vec sum{};
    for (int c = 0; c < term.size * width; c += width) sum += load(x + c) * load(z + c);
    sum *= term.scale;
    store(block.terms + t * width, sum);
    for (int p = 0; with_densities && p < n_densities; ++p) {
      double* density = block.densities + p * width;
      store(density, load(density) + program.coefficients[t * n_densities + p] * sum);
    }
  }
}

void forward(const ProgramView& program, const Block& block) {
  store(block.slots, broadcast(1));
  store(block.core, Vec{});
  atomic_basis(program, block);
  for (int b = 0; b < program.n_blocks; ++b)
    couple_forward(program.tables[program.blocks[b].table], program.blocks[b], block);
  if (program.n_densities == 1 && block.wants_gradients) {
    store(block.densities, gather_linear(program, block));
    if (block.wants_terms) evaluate_terms<false>(program, block);
  } else {
    evaluate_terms<true>(program, block);
  }
}
#include "ace/kernel_gradient.hpp"
#include "ace/kernel_design.hpp"

void grade(const double* rows, const double* panels, int n_rows, int n_columns, double* grades) {
  Vec largest{};
  for (int begin = 0; begin < n_columns; begin += 8) {
    const double* panel = panels + static_cast<std::int64_t>(begin) * n_rows;
    Vec sums[8] = {};
    for (int f = 0; f < n_rows; ++f) {
      const Vec b = load(rows + static_cast<std::int64_t>(f) * width);
      for (int k = 0; k < 8; ++k) sums[k] += b * panel[f * 8 + k];
    }
    for (int k = 0; k < 8; ++k) largest = larger(largest, absolute(sums[k]));
  }
  store(grades, largest);
}

}  // namespace

const Functions POLYPACE_KERNEL{width, POLYPACE_KERNEL_NAME, geometry, radial, forward, backward,
                                jacobian, leaf_gradients, spread, unlane, contract_design, transpose_matrix, grade};

}  // namespace polypace::ace::kernel
