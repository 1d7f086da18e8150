// How every single function depends on the atomic basis: for each function of a program the reverse pass that gives
// ∂B_f/∂A, restricted to the few A's that the function contains.
#pragma once

#include <vector>

#include "ace/kernel.hpp"
#include "ace/program.hpp"

namespace polypace::ace {

class DesignProgram {
 public:
  explicit DesignProgram(const Program& program);
  DesignProgram(const DesignProgram&) = delete;
  DesignProgram& operator=(const DesignProgram&) = delete;

  const kernel::DesignView& view() const { return view_; }

 private:
  void add_function(const Program& program, const Term& term);
  // Where the adjoint of the multiplet at `slot` lies in the function under construction.
  int local_of(int slot, int size);
  int restricted_table(const Program& program, int table, int begin, int size);

  struct Pending {
    int slot, size, local;
  };
  std::vector<Pending> locals_;  // of the function under construction
  std::vector<kernel::FunctionView> functions_;
  std::vector<kernel::SeedView> seeds_;
  std::vector<kernel::ReverseView> reverses_;
  std::vector<int> entry_slots_;
  struct Restricted {
    int table, begin, size;
    CouplingTable values;
  };
  std::vector<Restricted> restricted_;
  std::vector<kernel::TableView> tables_;
  kernel::DesignView view_{};
};

}  // namespace polypace::ace
