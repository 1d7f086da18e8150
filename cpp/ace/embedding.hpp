// F = Σ_p w_p f(ρ_p; m_p) of one central atom and how it joins the core repulsion.
#pragma once

#include "ace/potential.hpp"

namespace polypace::ace {

// Returns F; derivatives[p] = w_p f'(ρ_p; m_p).
double embed(const Embedding& embedding, const double* densities, double* derivatives);

// f(ρ) = ρ for every density: the energy is linear in the coefficients.
bool is_linear(const Embedding& embedding);

// The neighbour that decides the ZBL switch: the one deepest inside its own pair's inner cutoff.
struct Closest {
  bool exists = false;
  double distance = 0, r_in = 0, delta_in = 0;
};

// E = F·fcut + ρ_core (density, distance) or F·fcut + ρ_core (1 − fcut) (zbl), with all derivatives.
struct AtomicEnergy {
  double energy = 0;
  double embedding_weight = 1;  // ∂E/∂F = fcut
  double core_weight = 1;       // ∂E/∂ρ_core
  double closest_weight = 0;    // ∂E/∂(distance of the closest neighbour), zbl only
};
AtomicEnergy combine_with_core(const Embedding& embedding, InnerCutoff inner, double embedded, double core,
                               const Closest& closest);

}  // namespace polypace::ace
