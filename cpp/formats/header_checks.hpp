// What .yaml and .yace have in common: names of enumerations, limits, and the checks of bonds and factors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ace/potential.hpp"
#include "formats/yaml_tree.hpp"

namespace polypace::formats {

// Far beyond any real potential; they bound memory and time for damaged or hostile files.
inline constexpr int max_rank = 6;
inline constexpr int max_densities = 64;
inline constexpr int max_radial = 1000;  // nradmax, nradbase
inline constexpr int max_momentum = 20;
inline constexpr int max_elements = 118;
inline constexpr double max_cutoff = 1000;     // Å
inline constexpr double max_spline_knots = 1e7;  // r_c / deltaSplineBins

ace::EmbeddingKind embedding_kind(const Field& field);
ace::InnerCutoff inner_cutoff(const Field& field);
ace::RadialBasis radial_basis(const Field& field);
std::optional<ace::RadialBasis> radial_basis_of(const std::string& name);
std::string name_of(ace::EmbeddingKind kind);
std::string name_of(ace::InnerCutoff inner);

bool is_element(const std::string& symbol);
double delta_spline_bins(const Field& field);

// c[n][l][k] cut out of a nested list that may be larger than needed.
std::vector<double> nested_coefficients(const Field& field, const ace::Bond& bond);

// Values that no evaluator could use: too many knots, a vanishing λ, a ZBL switch of no width.
void check_bond(const Field& where, const ace::Bond& bond, double delta_spline_bins);

// nr, nl and neighbour species of one function against the bonds of its centre.
void check_factors(const Field& where, const ace::PotentialHeader& header, int mu0, const std::vector<int>& mus,
                   const std::vector<int>& ns, const std::vector<int>& ls);

}  // namespace polypace::formats
