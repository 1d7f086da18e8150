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

// All terms in which one multiplet occurs: the slots of its partners. A term X·X is two uses of X.
struct UserView {
  int slot, size, first_use, last_use;
};

struct UseView {
  int partner;
};

struct ProgramView {
  int n_species, n_slots, n_leaf_slots, n_blocks, n_terms, n_densities, l_max, max_products;
  const NeighborView* neighbors;
  const TableView* tables;
  const BlockView* blocks;
  const TermView* terms;
  const double* coefficients;
  const UserView* users;
  const UseView* uses;
  const double* use_coefficients;  // uses × densities, term scale × coefficient
  const int* unused_slots;         // in no term
  int n_users, n_unused;
  // P_lm = first[lm] (z P_{l−1,m} + second[lm] P_{l−2,m}), lm = l(l+1)/2 + m; next to the diagonal one factor only.
  const double *legendre_first, *legendre_second;
};

// Reverse passes of single functions. Adjoints of one function lie in a few `locals`: first those of the leaves, which
// are its entries, then those of the coupled multiplets on the way.
struct SeedView {  // locals[local…] += scale · slots[slot…]
  int local, slot, size;
  double scale;
};

struct ReverseView {  // a coupling, backwards
  int table, left, right;                  // slots of the operands
  int output_local, left_local, right_local;
};

struct FunctionView {
  int first_entry, n_entries, n_locals, first_seed, last_seed, first_reverse, last_reverse;
};

struct DesignView {
  int n_functions, n_entries, max_locals;
  const FunctionView* functions;
  const SeedView* seeds;
  const ReverseView* reverses;
  const TableView* tables;
  const int* entry_slots;
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
  bool wants_gradients, wants_terms;
};

struct Functions {
  int width;
  const char* name;
  void (*geometry)(const ProgramView&, const Block&);   // unit vectors, harmonics
  void (*radial)(const ProgramView&, const Block&);     // columns from the spline table
  void (*forward)(const ProgramView&, const Block&);    // slots, terms, densities, core
  void (*backward)(const ProgramView&, const Block&);   // adjoints, pair gradients
  // ∂B_f/∂A of every function: entries[n_entries], with max_locals more rows of room behind.
  void (*jacobian)(const DesignView&, const Block&, double* entries);
  // ∇(R Y) of one neighbour row for the leaves of its species, gradients[xyz][n_leaf_slots + W], and its sums:
  // lane_rows[lane] (three rows of `stride` numbers) −= gradients, sums[9][n_leaf_slots + W] += gradient, virial.
  void (*leaf_gradients)(const ProgramView&, const Block&, int row, int species, double* gradients);
  void (*spread)(const ProgramView&, const Block&, int row, int species, const double* gradients,
                 double* const* lane_rows, int stride, double* sums);
  // target[W lanes][…] rows from lane-major values: rows[lane][i] += values[i][lane].
  void (*unlane)(const double* values, int n, double* const* rows);
  // matrix[f][c] += Σ_entries entry · leaves[slot][c] for one lane; c up to n_columns, a multiple of 8.
  void (*contract)(const DesignView&, const double* entries, int lane, const double* leaves, int n_columns,
                   double* matrix);
  // to[j][i] = from[i][j].
  void (*transpose)(const double* from, int n_rows, int from_stride, int n_columns, double* to, int to_stride);
  // max_k |Σ_f rows[f] · matrix[f][k]| for a matrix in panels of 8 columns.
  void (*grade)(const double* rows, const double* panels, int n_rows, int n_columns, double* grades);
};

extern const Functions portable, avx2, avx512;

}  // namespace kernel
}  // namespace polypace::ace
