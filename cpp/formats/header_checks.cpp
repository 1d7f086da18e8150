#include "formats/header_checks.hpp"

#include <algorithm>
#include <array>

namespace polypace::formats {
namespace {

constexpr std::array elements_of_the_table = {
    "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si", "P",  "S",  "Cl", "Ar", "K",  "Ca",
    "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",  "Zr",
    "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd",
    "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",  "Re", "Os", "Ir", "Pt", "Au", "Hg",
    "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm",
    "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"};

}  // namespace

ace::EmbeddingKind embedding_kind(const Field& field) {
  if (field.text() == "FinnisSinclair") return ace::EmbeddingKind::finnis_sinclair;
  if (field.text() == "FinnisSinclairShiftedScaled") return ace::EmbeddingKind::finnis_sinclair_shifted_scaled;
  field.fail("must be FinnisSinclair or FinnisSinclairShiftedScaled, got '", field.text(), "'");
}

ace::InnerCutoff inner_cutoff(const Field& field) {
  for (const auto inner : {ace::InnerCutoff::density, ace::InnerCutoff::distance, ace::InnerCutoff::zbl})
    if (field.text() == name_of(inner)) return inner;
  field.fail("must be density, distance or zbl, got '", field.text(), "'");
}

std::optional<ace::RadialBasis> radial_basis_of(const std::string& name) {
  if (name == "ChebExpCos") return ace::RadialBasis::cheb_exp_cos;
  if (name == "ChebPow") return ace::RadialBasis::cheb_pow;
  if (name == "ChebLinear") return ace::RadialBasis::cheb_linear;
  if (name == "SBessel" || name == "TEST_SBessel") return ace::RadialBasis::sbessel;
  if (name.rfind("TEST_", 0) == 0) return ace::RadialBasis::zero;
  return std::nullopt;
}

ace::RadialBasis radial_basis(const Field& field) {
  const auto& name = field.text();
  if (const auto basis = radial_basis_of(name)) return *basis;
  field.check(name.rfind("ACE.jl", 0) != 0, "the radial functions of ACE.jl ('", name, "') are not supported");
  field.fail("Unknown radial basis function name '", name, "'; known are ChebExpCos, ChebPow, ChebLinear, SBessel");
}

std::string name_of(ace::EmbeddingKind kind) {
  return kind == ace::EmbeddingKind::finnis_sinclair ? "FinnisSinclair" : "FinnisSinclairShiftedScaled";
}

std::string name_of(ace::InnerCutoff inner) {
  switch (inner) {
    case ace::InnerCutoff::density: return "density";
    case ace::InnerCutoff::distance: return "distance";
    case ace::InnerCutoff::zbl: return "zbl";
  }
  return "";
}

bool is_element(const std::string& symbol) {
  return std::find(elements_of_the_table.begin(), elements_of_the_table.end(), symbol) != elements_of_the_table.end();
}

double delta_spline_bins(const Field& field) {
  const double bins = field.number();
  field.check(bins > 0, "must be positive (Å between spline knots, usually 0.001), got ", bins);
  return bins;
}

std::vector<double> nested_coefficients(const Field& field, const ace::Bond& bond) {
  const auto too_small = [](const Field& list, std::size_t needed, const char* key) {
    list.check(list.size() >= needed, "has ", list.size(), " entries, ", key, " asks for ", needed);
  };
  std::vector<double> coefficients;
  const auto by_n = field.items();
  too_small(field, bond.n_max, "nradmax");
  for (int n = 0; n < bond.n_max; ++n) {
    const auto by_l = by_n[n].items();
    too_small(by_n[n], bond.l_max + 1, "lmax");
    for (int l = 0; l <= bond.l_max; ++l) {
      const auto by_k = by_l[l].numbers();
      too_small(by_l[l], bond.k_max, "nradbase");
      coefficients.insert(coefficients.end(), by_k.begin(), by_k.begin() + bond.k_max);
    }
  }
  return coefficients;
}

void check_bond(const Field& where, const ace::Bond& bond, double delta_spline_bins) {
  where.check(bond.r_cut / delta_spline_bins <= max_spline_knots, "cutoff ", bond.r_cut, " Å with spline knots every ",
              delta_spline_bins, " Å needs too many knots; use a larger deltaSplineBins");
  where.check(bond.r_cut >= delta_spline_bins, "the cutoff ", bond.r_cut, " Å is below one spline bin of ", delta_spline_bins, " Å");
  const bool uses_lambda = bond.basis == ace::RadialBasis::cheb_exp_cos || bond.basis == ace::RadialBasis::cheb_pow;
  where.check(!uses_lambda || !bond.radial_parameters.empty(), "radparameters is empty, but ", bond.basis_name, " needs its λ");
  where.check(bond.basis != ace::RadialBasis::cheb_exp_cos || bond.lambda != 0, "radparameters: λ of ChebExpCos must not be 0");
  where.check(bond.inner != ace::InnerCutoff::zbl || bond.delta_in > 0,
              "inner_cutoff_type zbl needs delta_in > 0 (width of the switch to the ZBL repulsion), got ", bond.delta_in);
}

void check_factors(const Field& where, const ace::PotentialHeader& header, int mu0, const std::vector<int>& mus,
                   const std::vector<int>& ns, const std::vector<int>& ls) {
  for (std::size_t t = 0; t < mus.size(); ++t) {
    const auto& bond = header.bond(mu0, mus[t]);
    const auto pair = header.elements[mu0] + "-" + header.elements[mus[t]];
    where.check(bond.defined, "uses the bond ", pair, ", which no block defines");
    const int limit = mus.size() == 1 ? bond.k_max : bond.n_max;
    where.check(ns[t] < limit, mus.size() == 1 ? "nradbase" : "nradmax", " = ", limit, " of the bond ", pair,
                " is less than max(nr) = ", ns[t] + 1);
    where.check(mus.size() == 1 || ls[t] <= bond.l_max, "lmax = ", bond.l_max, " of the bond ", pair,
                " is less than max(nl) = ", ls[t]);
  }
}

}  // namespace polypace::formats
