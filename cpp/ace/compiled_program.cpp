#include "ace/compiled_program.hpp"

#include <algorithm>
#include <cmath>

namespace polypace::ace {

CompiledProgram::CompiledProgram(Program program) : program_(std::move(program)) {
  groups_.resize(program_.neighbors.size());
  for (std::size_t mu = 0; mu < program_.neighbors.size(); ++mu) {
    const auto& neighbor = program_.neighbors[mu];
    for (const auto& group : neighbor.groups)
      groups_[mu].push_back(
          {group.l, static_cast<int>(group.columns.size()), group.columns.data(), group.slots.data()});
    neighbors_.push_back({neighbor.active ? neighbor.columns.size() : 0, neighbor.table.stride, neighbor.l_max,
                          neighbor.table.n_intervals, neighbor.active ? neighbor.columns.core_column() : -1,
                          static_cast<int>(groups_[mu].size()), neighbor.table.scale, neighbor.table.rows.data(),
                          groups_[mu].data()});
    view_.l_max = std::max(view_.l_max, neighbor.l_max);
  }
  for (const auto& table : program_.tables) {
    tables_.push_back({table.n_products(), table.n_outputs, table.left.data(), table.right.data(),
                       table.output_begin.data(), table.output_product.data(), table.product_begin.data(),
                       table.product_output.data(), table.output_weight.data(), table.product_weight.data()});
    view_.max_products = std::max(view_.max_products, table.n_products());
  }
  for (const auto& block : program_.blocks) blocks_.push_back({block.left, block.right, block.outputs, block.table});
  for (const auto& term : program_.terms) terms_.push_back({term.left, term.right, term.size, term.scale});
  for (int l = 0; l <= max_angular_momentum; ++l)
    for (int m = 0; m <= l; ++m) {
      const double l2 = double(l) * l, m2 = double(m) * m, k2 = (l - 1.0) * (l - 1.0);
      const bool inner = m <= l - 2;
      legendre_first_.push_back(l == 0     ? 1
                                : m == l   ? -std::sqrt(1 + 1 / (2.0 * l))
                                : !inner   ? std::sqrt(2.0 * l + 1)
                                           : std::sqrt((4 * l2 - 1) / (l2 - m2)));
      legendre_second_.push_back(inner ? -std::sqrt((k2 - m2) / (4 * k2 - 1)) : 0);
    }
  view_.n_species = static_cast<int>(neighbors_.size());
  view_.n_slots = program_.n_slots;
  view_.n_leaf_slots = program_.n_leaf_slots;
  view_.n_blocks = static_cast<int>(blocks_.size());
  view_.n_terms = static_cast<int>(terms_.size());
  view_.n_densities = program_.n_densities;
  view_.neighbors = neighbors_.data();
  view_.tables = tables_.data();
  view_.blocks = blocks_.data();
  view_.terms = terms_.data();
  view_.coefficients = program_.coefficients.data();
  view_.legendre_first = legendre_first_.data();
  view_.legendre_second = legendre_second_.data();
}

}  // namespace polypace::ace
