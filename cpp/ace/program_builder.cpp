#include "ace/program_builder.hpp"

#include <algorithm>

#include "ace/radial.hpp"
#include "base/errors.hpp"

namespace polypace::ace {

ProgramBuilder::ProgramBuilder(const PotentialHeader& header, int mu0) : header_(header), mu0_(mu0) {
  require(header.bonds.size() == header.elements.size() * header.elements.size() &&
              header.embeddings.size() == header.elements.size(),
          "a potential needs one embedding per element and one bond per ordered pair of elements");
  const auto& embedding = header.embeddings[mu0];
  require(embedding.n_densities > 0 &&
              embedding.parameters.size() == 2 * static_cast<std::size_t>(embedding.n_densities),
          "the embedding of ", header.elements[mu0], " must have 2 parameters per density, got ",
          embedding.parameters.size(), " for ", embedding.n_densities, " densities");
  require(header.e0.empty() || header.e0.size() == header.elements.size(), "e0 must have one energy per element");
  if (!header.e0.empty()) program.e0 = header.e0[mu0];
  program.n_densities = embedding.n_densities;
  program.neighbors.resize(header.n_species());
  for (int mu = 0; mu < header.n_species(); ++mu) {
    const Bond& bond = header.bond(mu0, mu);
    auto& neighbor = program.neighbors[mu];
    neighbor.active = bond.defined;
    const bool zbl = bond.inner == InnerCutoff::zbl && bond.core_prefactor != 0;
    neighbor.columns = RadialColumns(bond, zbl ? atomic_number(header.elements[mu0]) : 0,
                                     zbl ? atomic_number(header.elements[mu]) : 0);
  }
}

const NeighborProgram& ProgramBuilder::neighbor(int mu) const {
  require(mu >= 0 && mu < header_.n_species(), "a function of ", header_.elements[mu0_],
          " names neighbour species number ", mu, " of ", header_.n_species());
  require(program.neighbors[mu].active, "a function of ", header_.elements[mu0_], " uses the pair ",
          header_.elements[mu0_], " ", header_.elements[mu], ", for which the potential has no bond");
  return program.neighbors[mu];
}

int ProgramBuilder::leaf(int mu, int column, int l) {
  const auto [place, added] = known_.try_emplace({mu, column, l}, static_cast<int>(leaves_.size()));
  if (added) leaves_.push_back({mu, column, l, -1});
  return place->second;
}

int ProgramBuilder::radial_leaf(int mu, int n, int l) {
  neighbor(mu);
  require(l >= 0 && l <= max_angular_momentum, "l must be 0 to ", max_angular_momentum, ", got ", l);
  return leaf(mu, program.neighbors[mu].columns.add_radial(n, l), l);
}

int ProgramBuilder::basis_leaf(int mu, int k) {
  neighbor(mu);
  return leaf(mu, program.neighbors[mu].columns.add_basis(k), 0);
}

void ProgramBuilder::place_leaves() {
  // Together what is summed together: neighbour species, then l, then column.
  std::vector<int> order(leaves_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    const Leaf &p = leaves_[a], &q = leaves_[b];
    return std::tie(p.mu, p.l, p.column) < std::tie(q.mu, q.l, q.column);
  });
  for (const int i : order) {
    Leaf& leaf = leaves_[i];
    leaf.slot = allocate(2 * leaf.l + 1);
    auto& neighbor = program.neighbors[leaf.mu];
    if (neighbor.groups.empty() || neighbor.groups.back().l != leaf.l) neighbor.groups.push_back({leaf.l, {}, {}});
    neighbor.groups.back().columns.push_back(leaf.column);
    neighbor.groups.back().slots.push_back(leaf.slot);
    neighbor.l_max = std::max(neighbor.l_max, leaf.l);
  }
  program.n_leaf_slots = program.n_slots;
}

int ProgramBuilder::add_table(CouplingTable table) {
  program.tables.push_back(std::move(table));
  return static_cast<int>(program.tables.size()) - 1;
}

int ProgramBuilder::allocate(int n_slots) {
  const int first = program.n_slots;
  program.n_slots += n_slots;
  return first;
}

Program ProgramBuilder::finish(double spacing) {
  for (auto& neighbor : program.neighbors) {
    if (!neighbor.active) continue;
    neighbor.columns.add_core();
    neighbor.table = tabulate(neighbor.columns, spacing);
  }
  return std::move(program);
}

}  // namespace polypace::ace
