#include "ace/design_program.hpp"

#include <algorithm>

#include "base/errors.hpp"

namespace polypace::ace {
namespace {

// The block whose outputs contain the slot; leaves have none.
const PairBlock* block_of(const Program& program, int slot) {
  if (slot < program.n_leaf_slots) return nullptr;
  const auto behind = std::upper_bound(program.blocks.begin(), program.blocks.end(), slot,
                                       [](int s, const PairBlock& block) { return s < block.outputs; });
  return &*(behind - 1);
}

}  // namespace

DesignProgram::DesignProgram(const Program& program) {
  for (const auto& term : program.terms) add_function(program, term);
  for (const auto& part : restricted_) {
    const auto& table = part.values;
    tables_.push_back({table.n_products(), table.n_outputs, table.left.data(), table.right.data(),
                       table.output_begin.data(), table.output_product.data(), table.product_begin.data(),
                       table.product_output.data(), table.output_weight.data(), table.product_weight.data()});
  }
  view_.n_functions = static_cast<int>(functions_.size());
  view_.n_entries = static_cast<int>(entry_slots_.size());
  view_.functions = functions_.data();
  view_.seeds = seeds_.data();
  view_.reverses = reverses_.data();
  view_.tables = tables_.data();
  view_.entry_slots = entry_slots_.data();
}

int DesignProgram::restricted_table(const Program& program, int table, int begin, int size) {
  for (std::size_t i = 0; i < restricted_.size(); ++i)
    if (restricted_[i].table == table && restricted_[i].begin == begin && restricted_[i].size == size)
      return static_cast<int>(i);
  restricted_.push_back({table, begin, size, program.tables[table].restricted_to(begin, size)});
  return static_cast<int>(restricted_.size()) - 1;
}

int DesignProgram::local_of(int slot, int size) {
  for (const auto& known : locals_)
    if (known.slot == slot) return known.local;
  const int local = locals_.empty() ? 0 : locals_.back().local + locals_.back().size;
  locals_.push_back({slot, size, local});
  return local;
}

void DesignProgram::add_function(const Program& program, const Term& term) {
  kernel::FunctionView function{};
  function.first_entry = static_cast<int>(entry_slots_.size());
  function.first_seed = static_cast<int>(seeds_.size());
  function.first_reverse = static_cast<int>(reverses_.size());
  // All multiplets of the function, those that are nearest to the scalar product first.
  std::vector<std::pair<int, int>> multiplets;
  const auto visit = [&](int slot, int size) {
    if (slot > 0 && std::none_of(multiplets.begin(), multiplets.end(), [&](auto& m) { return m.first == slot; }))
      multiplets.emplace_back(slot, size);
  };
  if (term.size > 0) {
    visit(term.left, term.size);
    visit(term.right, term.size);
  }
  for (std::size_t i = 0; i < multiplets.size(); ++i)
    if (const auto* block = block_of(program, multiplets[i].first)) {
      visit(block->left, program.tables[block->table].n_left);
      visit(block->right, program.tables[block->table].n_right);
    }
  // Slots grow from operands to results, so descending slots are a valid order of the reverse pass.
  std::sort(multiplets.begin(), multiplets.end());
  locals_.clear();
  for (const auto& [slot, size] : multiplets) {
    local_of(slot, size);
    if (slot >= program.n_leaf_slots) continue;
    for (int c = 0; c < size; ++c) entry_slots_.push_back(slot + c);
  }
  for (const auto& [to, from] : {std::pair(term.left, term.right), std::pair(term.right, term.left)})
    if (to > 0 && term.size > 0) seeds_.push_back({local_of(to, term.size), from, term.size, term.scale});
  for (auto it = multiplets.rbegin(); it != multiplets.rend(); ++it)
    if (const auto* block = block_of(program, it->first)) {
      const int table = restricted_table(program, block->table, it->first - block->outputs, it->second);
      reverses_.push_back({table, block->left, block->right, local_of(it->first, 0),
                           local_of(block->left, 0), local_of(block->right, 0)});
    }
  function.n_entries = static_cast<int>(entry_slots_.size()) - function.first_entry;
  function.n_locals = locals_.empty() ? 0 : locals_.back().local + locals_.back().size;
  function.last_seed = static_cast<int>(seeds_.size());
  function.last_reverse = static_cast<int>(reverses_.size());
  view_.max_locals = std::max(view_.max_locals, function.n_locals);
  functions_.push_back(function);
}

}  // namespace polypace::ace
