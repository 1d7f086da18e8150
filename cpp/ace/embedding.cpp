#include "ace/embedding.hpp"

#include <cmath>

#include "ace/radial.hpp"

namespace polypace::ace {
namespace {

// Sign with the reference's convention: −1 for zero as well, which multiplies 0 then.
double sign_of(double x) { return x > 0 ? 1 : -1; }

Slope finnis_sinclair(double rho, double exponent) {
  constexpr double sharpness = 1e6;
  const double a = std::abs(rho), slope = std::pow(sharpness, 1 - exponent);
  if (a <= 1e-10) return {slope * rho, slope};
  const double cube = std::pow(sharpness * a, 3);
  const double g = cube > 30 ? 0 : std::exp(-cube), d_g = -3 * sharpness * cube / (sharpness * a) * g;
  const double power = std::pow(a, exponent);
  return {sign_of(rho) * ((1 - g) * power + slope * g * a),
          exponent * power / a * (1 - g) - power * d_g + slope * (a * d_g + g)};
}

Slope shifted_scaled(double rho, double exponent) {
  if (std::abs(exponent - 1) < 1e-10) return {rho, 1};
  const double nu = 1 / exponent, a = std::abs(rho), decay = std::exp(-a);
  const double x = std::pow(nu, nu / (1 - nu)) * decay, y = std::pow(nu, 1 / (1 - nu)) * decay;
  return {sign_of(rho) * (std::pow(x + a, exponent) - y), y + exponent * (1 - x) * std::pow(x + a, exponent - 1)};
}

}  // namespace

double embed(const Embedding& embedding, const double* densities, double* derivatives) {
  double energy = 0;
  for (int p = 0; p < embedding.n_densities; ++p) {
    const double weight = embedding.parameters[2 * p], exponent = embedding.parameters[2 * p + 1];
    const Slope f = embedding.kind == EmbeddingKind::finnis_sinclair ? finnis_sinclair(densities[p], exponent)
                                                                    : shifted_scaled(densities[p], exponent);
    energy += weight * f.value;
    derivatives[p] = weight * f.derivative;
  }
  return energy;
}

bool is_linear(const Embedding& embedding) {
  for (int p = 0; p < embedding.n_densities; ++p) {
    // Finnis–Sinclair with exponent 1 is the identity as well.
    if (embedding.parameters[2 * p] != 0 && embedding.parameters[2 * p + 1] != 1) return false;
  }
  return true;
}

AtomicEnergy combine_with_core(const Embedding& embedding, InnerCutoff inner, double embedded, double core,
                               const Closest& closest) {
  AtomicEnergy result;
  if (inner == InnerCutoff::zbl) {
    // 1 at and beyond r_in, 0 at r_in − delta_in.
    const Slope cut = closest.exists
                          ? switch_function(closest.r_in - closest.distance, closest.delta_in, closest.delta_in)
                          : Slope{1, 0};
    result.embedding_weight = cut.value;
    result.core_weight = 1 - cut.value;
    result.closest_weight = -(embedded - core) * cut.derivative;
    result.energy = embedded * cut.value + core * (1 - cut.value);
    return result;
  }
  Slope cut{core >= embedding.rho_core_cut ? 0.0 : 1.0, 0};
  if (core < embedding.rho_core_cut && core > embedding.rho_core_cut - embedding.drho_core_cut)
    cut = switch_function(core, embedding.rho_core_cut, embedding.drho_core_cut);
  result.embedding_weight = cut.value;
  result.core_weight = 1 + embedded * cut.derivative;
  result.energy = embedded * cut.value + core;
  return result;
}

}  // namespace polypace::ace
