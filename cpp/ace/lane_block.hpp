// Memory of one block of atoms in SIMD lanes and how environments get into it.
#pragma once

#include <cstdint>
#include <vector>

#include "ace/aligned_vector.hpp"
#include "ace/compiled_program.hpp"
#include "ace/evaluator.hpp"
#include "ace/kernel.hpp"

namespace polypace::ace {

// Aligned doubles that only grow.
class LaneBuffer {
 public:
  double* reserve(std::size_t size) {
    if (storage_.size() < size) storage_.resize(size + size / 4);
    return storage_.data();
  }

 private:
  AlignedVector storage_;
};

class LaneBlock {
 public:
  // Puts the environments of `n_lanes` atoms of one species into lanes; unused lanes stay empty. Neighbours beyond
  // their bond's cutoff are dropped and their gradients zeroed.
  void gather(const CompiledProgram& compiled, const Environments& environments, const std::int64_t* atoms, int n_lanes,
              int width, double* pair_gradients);
  // Analytic radial functions instead of kernel::Functions::radial; after kernel::Functions::geometry.
  void evaluate_columns(const CompiledProgram& compiled);
  // The neighbour deepest inside its inner cutoff; `pair` is −1 without neighbours.
  struct Deepest {
    std::int64_t pair = -1;
    int species = 0;
    double distance = 0;
  };
  Deepest deepest(const CompiledProgram& compiled, const Environments& environments, int lane) const;

  kernel::Block block{};
  double* density_weights = nullptr;
  double* core_weights = nullptr;
  double* grades = nullptr;
  double* grade_rows(std::size_t n_rows) { return grade_buffer_.reserve(n_rows * width_); }

 private:
  void select(const CompiledProgram& compiled, const Environments& environments, std::int64_t atom, int lane,
              double* pair_gradients);
  void allocate(const CompiledProgram& compiled, int n_rows);

  int width_ = 0;
  std::vector<std::int64_t> accepted_[kernel::max_width];
  std::vector<int> counts_[kernel::max_width];
  std::vector<int> segment_ends_;
  std::vector<std::int64_t> pairs_;
  std::vector<double> scratch_;
  LaneBuffer displacement_buffer_, record_buffer_, value_buffer_, grade_buffer_;
};

}  // namespace polypace::ace
