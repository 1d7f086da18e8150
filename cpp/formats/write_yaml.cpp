// The B-basis potential file as pacemaker lays it out: one block per centre and set of neighbour elements.
#include <algorithm>
#include <map>
#include <set>

#include "base/errors.hpp"
#include "formats/formats.hpp"
#include "formats/header_checks.hpp"
#include "formats/text_file.hpp"
#include "formats/yaml_text.hpp"

namespace polypace::formats {
namespace {

using ace::BasisFunction;
using ace::Bond;
using ace::BPotential;

using BlockKey = std::vector<int>;  // centre, then the other species in increasing order

// Elements first, then pairs, …: a reader wants an element's own block before any other with that centre.
struct FewerElementsFirst {
  bool operator()(const BlockKey& a, const BlockKey& b) const { return a.size() != b.size() ? a.size() < b.size() : a < b; }
};
using Blocks = std::map<BlockKey, std::vector<const BasisFunction*>, FewerElementsFirst>;

// Every defined bond has its block, with or without functions, so that the file says all about it twice the same way.
Blocks blocks_of(const BPotential& potential) {
  Blocks blocks;
  for (int mu = 0; mu < potential.n_species(); ++mu) {
    for (int other = 0; other < potential.n_species(); ++other)
      if (potential.bond(mu, other).defined) blocks[other == mu ? BlockKey{mu} : BlockKey{mu, other}];
    for (const auto& function : potential.functions.at(mu)) {
      std::set<int> others(function.mus.begin(), function.mus.end());
      others.erase(mu);
      BlockKey key{mu};
      key.insert(key.end(), others.begin(), others.end());
      blocks[key].push_back(&function);
    }
  }
  return blocks;
}

std::string metadata_text(const BPotential& potential) {
  std::string text;
  const auto add = [&text](const std::string& key, const std::string& value) {
    text += "  " + quoted(key) + ": " + quoted(value) + "\n";
  };
  for (const auto& [key, value] : potential.metadata) add(key, value);
  if (std::any_of(potential.e0.begin(), potential.e0.end(), [](double energy) { return energy != 0; })) {
    std::string energies;
    for (std::size_t mu = 0; mu < potential.e0.size(); ++mu)
      energies += (mu == 0 ? "" : ", ") + ("\"" + potential.elements[mu] + "\": ") + number_text(potential.e0[mu]);
    add(e0_metadata_key, "{" + energies + "}");
  }
  return text.empty() ? "" : "metadata:\n" + text;
}

std::string embedding_text(const ace::Embedding& embedding) {
  return "    ndensityi: " + std::to_string(embedding.n_densities) + "\n    npoti: " + name_of(embedding.kind) +
         "\n    parameters: " + list_text(embedding.parameters) + "\n    rho_core_cut: " + number_text(embedding.rho_core_cut) +
         "\n    drho_core_cut: " + number_text(embedding.drho_core_cut) + "\n";
}

std::string bond_text(const Bond& bond) {
  std::string text;
  const auto add = [&text](const char* key, const std::string& value) {
    text += std::string("    ") + key + ": " + value + "\n";
  };
  add("nradmaxi", std::to_string(bond.n_max));
  add("lmaxi", std::to_string(bond.l_max));
  add("rcutij", number_text(bond.r_cut));
  add("dcutij", number_text(bond.d_cut));
  add("NameOfCutoffFunctionij", "cos");
  add("r_in", number_text(bond.r_in));
  add("delta_in", number_text(bond.delta_in));
  add("inner_cutoff_type", name_of(bond.inner));
  add("nradbaseij", std::to_string(bond.k_max));
  add("radbase", bond.basis_name);
  add("radparameters", list_text(bond.radial_parameters));
  add("radcoefficients", nested_text(bond.coefficients, bond.n_max, bond.l_max + 1, bond.k_max));
  add("core-repulsion", list_text(std::vector<double>{bond.core_prefactor, bond.core_lambda}));
  return text;
}

std::string function_text(const BPotential& potential, int mu0, const BasisFunction& function) {
  std::string type = potential.elements[mu0];
  for (const int mu : function.mus) type += " " + potential.elements[mu];
  std::string text = "      - {type: " + type + ", nr: " + list_text(function.ns, 1) + ", nl: " + list_text(function.ls);
  if (function.rank() > 2) text += ", lint: " + list_text(function.lint);
  return text + ", c: " + list_text(function.coefficients) + "}\n";
}

std::string block_text(const BPotential& potential, const BlockKey& key, const std::vector<const BasisFunction*>& functions) {
  std::string name;
  for (const int mu : key) name += (name.empty() ? "" : " ") + potential.elements[mu];
  std::string text = "  - speciesblock: " + name + "\n";
  if (key.size() == 1) text += embedding_text(potential.embeddings[key[0]]);
  if (key.size() <= 2) {
    require(potential.bond(key.front(), key.back()).defined, "functions use the bond ", name, ", which is not defined");
    text += bond_text(potential.bond(key.front(), key.back()));
  }
  text += functions.empty() ? "    nbody: []\n" : "    nbody:\n";
  for (const auto* function : functions) text += function_text(potential, key[0], *function);
  return text;
}

}  // namespace

std::string format_yaml(const BPotential& potential) {
  std::string text = metadata_text(potential);
  text += "global:\n  DeltaSplineBins: " + number_text(potential.delta_spline_bins) + "\nspecies:\n";
  for (const auto& [key, functions] : blocks_of(potential)) text += block_text(potential, key, functions);
  return text;
}

void write_yaml(const BPotential& potential, const std::string& path) { write_file(path, format_yaml(potential)); }

}  // namespace polypace::formats
