#include "ace/compiled_program.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace polypace::ace {

CompiledProgram::CompiledProgram(Program program) : program_(std::move(program)) {
  view_parts();
  tabulate_legendre();
  collect_uses();
}

void CompiledProgram::view_parts() {
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
}

void CompiledProgram::tabulate_legendre() {
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
  view_.legendre_first = legendre_first_.data();
  view_.legendre_second = legendre_second_.data();
}

void CompiledProgram::collect_uses() {
  const int n_densities = program_.n_densities;
  std::map<std::pair<int, int>, std::vector<std::pair<int, int>>> by_user;  // (slot, size) → (partner, term)
  for (int t = 0; t < view_.n_terms; ++t) {
    const Term& term = program_.terms[t];
    if (term.size == 0) continue;
    by_user[{term.left, term.size}].emplace_back(term.right, t);
    by_user[{term.right, term.size}].emplace_back(term.left, t);
  }
  // A multiplet may be used in parts (real and imaginary part of a product): parts must not overlap, so such users are
  // taken apart into single slots.
  std::map<int, std::vector<std::pair<int, int>>> single;
  std::vector<int> covered(view_.n_slots, 0);
  for (const auto& [user, uses] : by_user)
    for (int c = 0; c < user.second; ++c) ++covered[user.first + c];
  const auto add_user = [&](int slot, int size, const std::vector<std::pair<int, int>>& uses) {
    users_.push_back({slot, size, static_cast<int>(uses_.size()), static_cast<int>(uses_.size() + uses.size())});
    for (const auto& [partner, t] : uses) {
      uses_.push_back({partner});
      for (int p = 0; p < n_densities; ++p)
        use_coefficients_.push_back(program_.terms[t].scale * program_.coefficients[t * n_densities + p]);
    }
  };
  for (const auto& [user, uses] : by_user) {
    const bool shared = std::any_of(covered.begin() + user.first, covered.begin() + user.first + user.second,
                                    [](int n) { return n > 1; });
    if (!shared) {
      add_user(user.first, user.second, uses);
      continue;
    }
    for (int c = 0; c < user.second; ++c)
      for (const auto& [partner, t] : uses) single[user.first + c].emplace_back(partner + c, t);
  }
  for (const auto& [slot, uses] : single) add_user(slot, 1, uses);
  for (int slot = 0; slot < view_.n_slots; ++slot)
    if (!covered[slot]) unused_slots_.push_back(slot);
  view_.users = users_.data();
  view_.uses = uses_.data();
  view_.use_coefficients = use_coefficients_.data();
  view_.unused_slots = unused_slots_.data();
  view_.n_users = static_cast<int>(users_.size());
  view_.n_unused = static_cast<int>(unused_slots_.size());
}

}  // namespace polypace::ace
