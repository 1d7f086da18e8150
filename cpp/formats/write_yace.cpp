// The C-tilde potential file for LAMMPS.
#include <algorithm>

#include "base/errors.hpp"
#include "formats/formats.hpp"
#include "formats/header_checks.hpp"
#include "formats/text_file.hpp"
#include "formats/yaml_text.hpp"

namespace polypace::formats {
namespace {

using ace::CTildeFunction;
using ace::CTildePotential;

int largest_n_densities(const CTildePotential& potential) {
  int largest = 0;
  for (const auto& embedding : potential.embeddings) largest = std::max(largest, embedding.n_densities);
  return largest;
}

// Densities of weight 0 change nothing, but LAMMPS reads the coefficients of every element as if it had the most.
std::vector<double> padded_parameters(const ace::Embedding& embedding, int n_densities) {
  auto parameters = embedding.parameters;
  for (int p = embedding.n_densities; p < n_densities; ++p) parameters.insert(parameters.end(), {0.0, 1.0});
  return parameters;
}

std::vector<double> padded_ctildes(const std::vector<double>& ctildes, int n_own, int n_densities) {
  std::vector<double> padded;
  padded.reserve(ctildes.size() / n_own * n_densities);
  for (std::size_t first = 0; first < ctildes.size(); first += n_own) {
    padded.insert(padded.end(), ctildes.begin() + first, ctildes.begin() + first + n_own);
    padded.insert(padded.end(), n_densities - n_own, 0.0);
  }
  return padded;
}

std::string embedding_text(const ace::Embedding& embedding, int n_densities) {
  return "{ndensity: " + std::to_string(n_densities) + ", FS_parameters: " + list_text(padded_parameters(embedding, n_densities)) +
         ", npoti: " + name_of(embedding.kind) + ", rho_core_cutoff: " + number_text(embedding.rho_core_cut) +
         ", drho_core_cutoff: " + number_text(embedding.drho_core_cut) + "}";
}

std::string bond_text(const ace::Bond& bond) {
  return "{nradmax: " + std::to_string(bond.n_max) + ", lmax: " + std::to_string(bond.l_max) +
         ", nradbasemax: " + std::to_string(bond.k_max) + ", radbasename: " + bond.basis_name +
         ", radparameters: " + list_text(bond.radial_parameters) +
         ", radcoefficients: " + nested_text(bond.coefficients, bond.n_max, bond.l_max + 1, bond.k_max) +
         ", prehc: " + number_text(bond.core_prefactor) + ", lambdahc: " + number_text(bond.core_lambda) +
         ", rcut: " + number_text(bond.r_cut) + ", dcut: " + number_text(bond.d_cut) + ", rcut_in: " + number_text(bond.r_in) +
         ", dcut_in: " + number_text(bond.delta_in) + ", inner_cutoff_type: " + name_of(bond.inner) + "}";
}

std::string function_text(const CTildeFunction& function, int mu0, int n_own, int n_densities) {
  const auto rank = static_cast<std::size_t>(function.rank());
  return "    - {mu0: " + std::to_string(mu0) + ", rank: " + std::to_string(rank) + ", ndensity: " + std::to_string(n_densities) +
         ", num_ms_combs: " + std::to_string(function.ms.size() / rank) + ", mus: " + list_text(function.mus) +
         ", ns: " + list_text(function.ns, 1) + ", ls: " + list_text(function.ls) + ", ms_combs: " + list_text(function.ms) +
         ", ctildes: " + list_text(padded_ctildes(function.ctildes, n_own, n_densities)) + "}\n";
}

}  // namespace

std::string format_yace(const CTildePotential& potential) {
  const int n = potential.n_species(), n_densities = largest_n_densities(potential);
  const auto e0 = potential.e0.empty() ? std::vector<double>(n, 0.0) : potential.e0;
  std::string text = "elements: " + list_text(potential.elements) + "\nE0: " + list_text(e0) +
                     "\ndeltaSplineBins: " + number_text(potential.delta_spline_bins) + "\nembeddings:\n";
  for (int mu = 0; mu < n; ++mu)
    text += "  " + std::to_string(mu) + ": " + embedding_text(potential.embeddings[mu], n_densities) + "\n";
  text += "bonds:\n";
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const auto& bond = potential.bond(i, j);
      require(bond.defined, "a .yace file needs the bonds of all pairs of elements, but ", potential.elements[i], "-",
              potential.elements[j], " is not defined; add it to the .yaml file");
      text += "  [" + std::to_string(i) + ", " + std::to_string(j) + "]: " + bond_text(bond) + "\n";
    }
  text += "functions:\n";
  for (int mu0 = 0; mu0 < n; ++mu0) {
    const auto& functions = potential.functions.at(mu0);
    text += "  " + std::to_string(mu0) + (functions.empty() ? ": []\n" : ":\n");
    for (const auto& function : functions)
      text += function_text(function, mu0, potential.embeddings[mu0].n_densities, n_densities);
  }
  return text;
}

void write_yace(const CTildePotential& potential, const std::string& path) { write_file(path, format_yace(potential)); }

}  // namespace polypace::formats
