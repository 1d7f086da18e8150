// Extrapolation grade γ = max_k |Σ_j b_j M_jk| of an atom, M the inverse active set of its species.
#pragma once

#include <string>
#include <vector>

#include "ace/evaluator.hpp"
#include "ace/kernel.hpp"
#include "ace/lane_block.hpp"

namespace polypace::ace {

class Extrapolation {
 public:
  Extrapolation() = default;
  // `functions`, `densities`: per species. Sizes N mean the linear kind (b_f = B_f), sizes N · P the full kind
  // (b = w_p f'(ρ_p) B_f, p slow); the same for all species.
  Extrapolation(const ActiveSet& active_set, const std::vector<std::string>& elements,
                const std::vector<int>& functions, const std::vector<int>& densities);

  bool empty() const { return species_.empty(); }
  bool is_full() const { return full_; }

  // Reads terms and density weights (before the core's factor) of the block, writes lanes.grades.
  void grade(int species, const kernel::Functions& kernel, LaneBlock& lanes) const;

 private:
  struct Inverse {
    int size = 0, n_functions = 0, n_densities = 0;
    std::vector<double> panels;  // panels of 8 columns, each row after row
  };
  std::vector<Inverse> species_;
  bool full_ = false;
};

}  // namespace polypace::ace
