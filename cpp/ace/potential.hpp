// What an ACE potential is, as data: the B-basis form (.yaml) and the C-tilde form (.yace).
// All indices are 0-based here (files count n and k from 1). Symbols as in docs/explanation/ace.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace polypace::ace {

enum class RadialBasis { cheb_exp_cos, cheb_pow, cheb_linear, sbessel, zero };
enum class InnerCutoff { density, distance, zbl };
enum class EmbeddingKind { finnis_sinclair, finnis_sinclair_shifted_scaled };

// F = Σ_p w_p f(ρ_p; m_p) for one central species.
struct Embedding {
  int n_densities = 1;
  EmbeddingKind kind = EmbeddingKind::finnis_sinclair_shifted_scaled;
  std::vector<double> parameters{1.0, 1.0};  // w_1, m_1, w_2, m_2, …
  double rho_core_cut = 100000;
  double drho_core_cut = 250;
};

// Radial part of one ordered pair of species.
struct Bond {
  bool defined = false;
  RadialBasis basis = RadialBasis::zero;
  std::string basis_name;     // as written in the file (SBessel has an alias)
  double lambda = 1.0;        // radparameters[0]
  std::vector<double> radial_parameters;
  int n_max = 0;              // number of R_nl per l (nradmax)
  int l_max = 0;
  int k_max = 0;              // number of g_k (nradbase)
  std::vector<double> coefficients;  // c[n][l][k], n_max × (l_max+1) × k_max
  double r_cut = 0;
  double d_cut = 0;
  double core_prefactor = 0;
  double core_lambda = 0;
  double r_in = 0;
  double delta_in = 0;
  InnerCutoff inner = InnerCutoff::density;
};

// What both forms share. `bonds` is row-major: bonds[mu_i * n_species + mu_j].
struct PotentialHeader {
  std::vector<std::string> elements;  // the position is the species index; .yaml: sorted as byte strings, .yace: as in the file
  double delta_spline_bins = 0.001;
  std::vector<Embedding> embeddings;
  std::vector<Bond> bonds;
  // Energy per element, added to every atom of it, in both forms; empty means zeros. A .yaml file keeps it in its
  // metadata (pacemaker's format has no place for it and its evaluator adds nothing).
  std::vector<double> e0;

  int n_species() const { return static_cast<int>(elements.size()); }
  const Bond& bond(int mu_i, int mu_j) const { return bonds[mu_i * elements.size() + mu_j]; }
};

// One rotationally invariant function B as written in a file: factors A_{mus[t] ns[t] ls[t]}, coupled through `lint`.
// Rank 1: ns[0] is the index k of g_k, ls[0] = 0.
struct BasisFunction {
  std::vector<int> mus, ns, ls, lint;
  std::vector<double> coefficients;  // one per density
  int rank() const { return static_cast<int>(mus.size()); }
};

struct BPotential : PotentialHeader {
  std::vector<std::vector<BasisFunction>> functions;  // per central species, in the canonical order (ordering.hpp)
  std::map<std::string, std::string> metadata;
};

// B = Σ_m weights[m] Re ∏_t A_{mus[t] ns[t] ls[t] ms[m][t]} over the half list of m-vectors.
struct CoupledFunction {
  std::vector<int> mus, ns, ls;
  std::vector<int> ms;          // n_ms × rank, row-major
  std::vector<double> weights;  // n_ms generalised Clebsch–Gordan coefficients (doubled half list)
  int rank() const { return static_cast<int>(mus.size()); }
  int n_ms() const { return static_cast<int>(weights.size()); }
};

// ρ_p = Σ_functions Σ_m ctildes[m][p] Re ∏_t A…
struct CTildeFunction {
  std::vector<int> mus, ns, ls;
  std::vector<int> ms;          // n_ms × rank, row-major
  std::vector<double> ctildes;  // n_ms × n_densities, row-major
  int rank() const { return static_cast<int>(mus.size()); }
};

struct CTildePotential : PotentialHeader {
  std::vector<std::vector<CTildeFunction>> functions;  // per central species
};

}  // namespace polypace::ace
