// The C-tilde potential file of pacemaker and LAMMPS.
#include <cstdlib>
#include <numeric>
#include <set>

#include "formats/formats.hpp"
#include "formats/header_checks.hpp"
#include "formats/text_file.hpp"
#include "formats/trees.hpp"
#include "formats/yaml_tree.hpp"

namespace polypace::formats {
namespace {

using ace::Bond;
using ace::CTildeFunction;
using ace::CTildePotential;

constexpr int max_m_vectors = 1000000;

void read_elements(const Field& root, CTildePotential& potential) {
  const auto list = root.at("elements");
  potential.elements = list.texts();
  std::set<std::string> seen;
  for (const auto& symbol : potential.elements) {
    list.check(is_element(symbol), "'", symbol, "' is not a chemical symbol");
    list.check(seen.insert(symbol).second, symbol, " appears twice");
  }
  list.check(!seen.empty(), "names no element");
  potential.e0.assign(seen.size(), 0.0);
  if (const auto e0 = root.find("E0")) {
    potential.e0 = e0->numbers();
    e0->check(potential.e0.size() == seen.size(), "has ", potential.e0.size(), " numbers for ", seen.size(), " elements");
  }
}

ace::Embedding read_embedding(const Field& field) {
  ace::Embedding embedding;
  embedding.n_densities = field.at("ndensity").integer(1, max_densities);
  embedding.kind = embedding_kind(field.at("npoti"));
  const auto parameters = field.at("FS_parameters");
  embedding.parameters = parameters.numbers();
  parameters.check(embedding.parameters.size() == 2u * embedding.n_densities, "Number of fs_parameters = ",
                   embedding.parameters.size(), " is not equal to ndensity*2 = ", 2 * embedding.n_densities);
  if (const auto cut = field.find("rho_core_cutoff")) embedding.rho_core_cut = cut->number();
  if (const auto width = field.find("drho_core_cutoff")) embedding.drho_core_cut = width->number();
  return embedding;
}

Bond read_bond(const Field& field) {
  Bond bond;
  bond.basis = radial_basis(field.at("radbasename"));
  bond.basis_name = field.at("radbasename").text();
  bond.n_max = field.at("nradmax").integer(0, max_radial);
  bond.l_max = field.at("lmax").integer(0, max_momentum);
  bond.k_max = field.at("nradbasemax").integer(0, max_radial);
  bond.radial_parameters = field.at("radparameters").numbers();
  if (!bond.radial_parameters.empty()) bond.lambda = bond.radial_parameters[0];
  if (bond.n_max > 0) bond.coefficients = nested_coefficients(field.at("radcoefficients"), bond);
  bond.core_prefactor = field.at("prehc").number();
  bond.core_lambda = field.at("lambdahc").number();
  bond.r_cut = field.at("rcut").number(0, max_cutoff);
  bond.d_cut = field.at("dcut").number(0, max_cutoff);
  if (const auto r_in = field.find("rcut_in")) bond.r_in = r_in->number(0, max_cutoff);
  if (const auto delta = field.find("dcut_in")) bond.delta_in = delta->number(0, max_cutoff);
  if (const auto inner = field.find("inner_cutoff_type")) bond.inner = inner_cutoff(*inner);
  bond.defined = true;
  return bond;
}

void read_bonds(const Field& root, CTildePotential& potential) {
  const int n = potential.n_species();
  const auto map = root.at("bonds");
  potential.bonds.resize(potential.elements.size() * potential.elements.size());
  for (const auto& [key, value] : map.entries()) {
    const auto pair = key.integers(0, n - 1);
    key.check(pair.size() == 2, "must be a pair of species indices");
    auto& bond = potential.bonds[pair[0] * n + pair[1]];
    key.check(!bond.defined, "the bond [", pair[0], ", ", pair[1], "] appears twice");
    bond = read_bond(value);
  }
  // Where bonds disagree, pacemaker lets the last pair decide for all.
  const auto inner = potential.bonds.back().inner;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      auto& bond = potential.bonds[i * n + j];
      map.check(bond.defined, "the bond [", i, ", ", j, "] is missing; all pairs of elements are needed");
      bond.inner = inner;
      check_bond(map, bond, potential.delta_spline_bins);
    }
}

void check_m_vectors(const Field& field, const CTildeFunction& function) {
  const auto rank = function.ls.size();
  for (std::size_t row = 0; row * rank < function.ms.size(); ++row) {
    const int* m = function.ms.data() + row * rank;
    for (std::size_t t = 0; t < rank; ++t)
      field.check(std::abs(m[t]) <= function.ls[t], "row ", row + 1, ": m = ", m[t], " is beyond l = ", function.ls[t]);
    field.check(std::accumulate(m, m + rank, 0) == 0, "row ", row + 1, ": the m do not add up to 0");
  }
}

CTildeFunction read_function(const Field& field, const CTildePotential& potential, int mu0) {
  const auto rank = static_cast<std::size_t>(field.at("rank").integer(1, max_rank));
  const auto n_densities = static_cast<std::size_t>(field.at("ndensity").integer(1, max_densities));
  const auto n_ms = static_cast<std::size_t>(field.at("num_ms_combs").integer(0, max_m_vectors));
  const auto sized = [](const Field& list, auto&& values, std::size_t size) {
    list.check(values.size() == size, "has ", values.size(), " entries, ", size, " are needed");
    return std::move(values);
  };
  const auto mus = field.at("mus"), ns = field.at("ns"), ls = field.at("ls"), ms = field.at("ms_combs"), c = field.at("ctildes");
  CTildeFunction function;
  function.mus = sized(mus, mus.integers(0, potential.n_species() - 1), rank);
  function.ns = sized(ns, ns.integers(1, max_radial), rank);
  for (int& n : function.ns) --n;
  function.ls = sized(ls, ls.integers(0, max_momentum), rank);
  function.ms = sized(ms, ms.integers(-max_momentum, max_momentum), n_ms * rank);
  function.ctildes = sized(c, c.numbers(), n_ms * n_densities);
  field.check(field.at("mu0").integer(0, max_elements) == mu0, "mu0 disagrees with the list it stands in, that of species ", mu0);
  field.check(static_cast<int>(n_densities) == potential.embeddings[mu0].n_densities, "ndensity = ", n_densities,
              " disagrees with the embedding of ", potential.elements[mu0], ", ", potential.embeddings[mu0].n_densities);
  field.check(rank > 1 || function.ls[0] == 0, "ls of a rank-1 function must be [0], got [", function.ls[0], "]");
  check_factors(field, potential, mu0, function.mus, function.ns, function.ls);
  check_m_vectors(ms, function);
  return function;
}

}  // namespace

CTildePotential yace_from_tree(const Field& root) {
  CTildePotential potential;
  read_elements(root, potential);
  potential.delta_spline_bins = delta_spline_bins(root.at("deltaSplineBins"));
  for (int mu = 0; mu < potential.n_species(); ++mu)
    potential.embeddings.push_back(read_embedding(root.at("embeddings").at(std::to_string(mu))));
  read_bonds(root, potential);
  potential.functions.resize(potential.elements.size());
  const auto lists = root.at("functions");
  for (int mu0 = 0; mu0 < potential.n_species(); ++mu0)
    if (const auto list = lists.find(std::to_string(mu0)))
      for (const auto& field : list->items()) potential.functions[mu0].push_back(read_function(field, potential, mu0));
  return potential;
}

CTildePotential parse_yace(const std::string& text, const std::string& source) {
  const auto tree = parse_yaml_tree(text, source);
  return yace_from_tree(Field(tree, source));
}

CTildePotential read_yace(const std::string& path) { return parse_yace(read_file(path), path); }

}  // namespace polypace::formats
