// A program with the plain-pointer view of it that the kernels read.
#pragma once

#include <vector>

#include "ace/kernel.hpp"
#include "ace/program.hpp"

namespace polypace::ace {

class CompiledProgram {
 public:
  explicit CompiledProgram(Program program);
  CompiledProgram(const CompiledProgram&) = delete;
  CompiledProgram& operator=(const CompiledProgram&) = delete;

  const Program& program() const { return program_; }
  const kernel::ProgramView& view() const { return view_; }

 private:
  void view_parts();
  void tabulate_legendre();
  void collect_uses();

  Program program_;
  std::vector<std::vector<kernel::GroupView>> groups_;
  std::vector<kernel::NeighborView> neighbors_;
  std::vector<kernel::TableView> tables_;
  std::vector<kernel::BlockView> blocks_;
  std::vector<kernel::TermView> terms_;
  std::vector<kernel::UserView> users_;
  std::vector<kernel::UseView> uses_;
  std::vector<double> use_coefficients_;
  std::vector<int> unused_slots_;
  std::vector<double> legendre_first_, legendre_second_;
  kernel::ProgramView view_{};
};

}  // namespace polypace::ace
