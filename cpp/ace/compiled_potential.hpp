// All species of a potential, compiled, and the choice of the instruction set.
#pragma once

#include <memory>
#include <vector>

#include "ace/compiled_program.hpp"
#include "ace/evaluator.hpp"
#include "ace/kernel.hpp"

namespace polypace::ace {

class CompiledPotential {
 public:
  template <class Potential>
  explicit CompiledPotential(const Potential& potential);

  const PotentialHeader& header() const { return header_; }
  // One inner cutoff for the whole potential: where bonds disagree the last one decides.
  InnerCutoff inner() const { return inner_; }
  const CompiledProgram& program(int mu) const { return *programs_[mu]; }
  // B-basis: terms are functions.
  bool has_functions() const { return has_functions_; }
  // Largest value of a member over the species.
  int most(int Program::*member) const;

 private:
  PotentialHeader header_;
  InnerCutoff inner_ = InnerCutoff::density;
  bool has_functions_ = false;
  std::vector<std::unique_ptr<CompiledProgram>> programs_;
};

extern template CompiledPotential::CompiledPotential(const BPotential&);
extern template CompiledPotential::CompiledPotential(const CTildePotential&);

// Throws std::invalid_argument where the processor lacks the instructions.
const kernel::Functions* choose_kernel(Instructions instructions);

}  // namespace polypace::ace
