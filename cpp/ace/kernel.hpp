// The inner loops of the evaluator, W atoms of one species in SIMD lanes. One source (kernel_body.hpp) is compiled
// once for every instruction set; the evaluator chooses at run time.
//
// Plain pointers only: a kernel's translation unit must not instantiate inline functions of the standard library,
// because the linker may keep the copy that was compiled for an instruction set the machine does not have.
#pragma once

#include <cstdint>

namespace polypace::ace {

namespace kernel {

constexpr int max_width = 8;

struct GroupView {
  int l, n;
  const int *columns, *slots;
};

struct NeighborView {
  int n_columns, stride, l_max, n_intervals, core_column, n_groups;
  double scale;
  const double* rows;
  const GroupView* groups;
};

struct TableView {
  int n_products, n_outputs;
  const int *left, *right, *output_begin, *output_product, *product_begin, *product_output;
  const double *output_weight, *product_weight;
};

struct BlockView {
  int left, right, outputs, table;
};

struct TermView {
  int left, right, size;
  double scale;
};

struct ProgramView {
  int n_species, n_slots, n_leaf_slots, n_blocks, n_terms, n_densities, l_max, max_products;
  const NeighborView* neighbors;
  const TableView* tables;
  const BlockView* blocks;
  const TermView* terms;
  const double* coefficients;
  // P_lm = first[lm] (z P_{l−1,m} + second[lm] P_{l−2,m}), lm = l(l+1)/2 + m; next to the diagonal one factor only.
  const double *legendre_first, *legendre_second;
};

// One block of atoms. Arrays are lane-major: element [i][lane], 64-byte aligned.
struct Block {
  // Neighbours, sorted by species and padded to the same number in every lane of a species.
  const int* segment_ends;        // per species: first neighbour row behind it
  const double* displacements;    // rows × 3
  const std::int64_t* pairs;      // rows: index of the pair, −1 for padding
  // Kept between the steps: per neighbour row the unit vector, 1/r, columns, their derivatives, harmonics.
  double* records;
  int record_stride, columns_offset, derivatives_offset, harmonics_offset;
  double* products;               // scratch of one pair block
  double *slots, *adjoints;       // n_slots
  double *terms, *densities, *core;   // n_terms, n_densities, 1
  const double *density_weights;  // n_densities: ∂E/∂ρ_p
  const double *core_weights;     // ∂E/∂ρ_core
  double* pair_gradients;         // by pair index × 3; not lane-major
};

struct Functions {
  int width;
  const char* name;
  void (*geometry)(const ProgramView&, const Block&);   // unit vectors, harmonics
  void (*radial)(const ProgramView&, const Block&);     // columns from the spline table
  void (*forward)(const ProgramView&, const Block&);    // slots, terms, densities, core
  void (*backward)(const ProgramView&, const Block&);   // adjoints, pair gradients
  // max_k |Σ_f rows[f] · matrix[f][k]| for a matrix in panels of 8 columns.
  void (*grade)(const double* rows, const double* panels, int n_rows, int n_columns, double* grades);
};

extern const Functions portable, avx2, avx512;

}  // namespace kernel
}  // namespace polypace::ace
