#include "ace/radial.hpp"

#include <array>
#include <cmath>

#include "base/errors.hpp"

namespace polypace::ace {
namespace {

constexpr double pi = 3.14159265358979323846;

// ½(1 + cos(π t)) with t = (r − start)/width.
Slope cosine_cutoff(double r, double start, double width) {
  const double t = pi * (r - start) / width;
  return {0.5 * (1 + std::cos(t)), -0.5 * pi / width * std::sin(t)};
}

Slope product(const Slope& a, const Slope& b) {
  return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
}

// T_m(x) and dT_m/dr for successive m by the three-term recurrence.
class Chebyshev {
 public:
  explicit Chebyshev(const Slope& x) : x_(x), current_{x.value, x.derivative}, previous_{1, 0} {}  // at T_1
  const Slope& value() const { return current_; }
  void advance() {
    const Slope next{2 * x_.value * current_.value - previous_.value,
                     2 * (x_.derivative * current_.value + x_.value * current_.derivative) - previous_.derivative};
    previous_ = current_;
    current_ = next;
  }

 private:
  Slope x_, current_, previous_;
};

void chebyshev_exponential(const Bond& bond, double r, double* values, double* derivatives) {
  const double lambda = bond.lambda, edge = std::exp(-lambda), decay = std::exp(-lambda * r / bond.r_cut);
  const Slope x{1 - 2 * (decay - edge) / (1 - edge), 2 * lambda / bond.r_cut * decay / (1 - edge)};
  Slope envelope = cosine_cutoff(r, 0, bond.r_cut);
  if (r > bond.r_cut - bond.d_cut) envelope = product(envelope, cosine_cutoff(r, bond.r_cut - bond.d_cut, bond.d_cut));
  Chebyshev t(x);
  for (int k = 0; k < bond.k_max; ++k) {
    Slope g = envelope;
    if (k > 0) {
      g = product({0.5 * (1 - t.value().value), -0.5 * t.value().derivative}, envelope);
      t.advance();
    }
    values[k] = g.value;
    derivatives[k] = g.derivative;
  }
}

void chebyshev_plain(const Bond& bond, const Slope& x, double* values, double* derivatives) {
  Chebyshev t(x);
  for (int k = 0; k < bond.k_max; ++k) {
    values[k] = 0.5 * (1 - t.value().value);
    derivatives[k] = -0.5 * t.value().derivative;
    t.advance();
  }
}

// sinc(q r) = sin(q r)/(q r) and its derivative with respect to r.
Slope sinc(double q, double r) {
  const double z = q * r;
  if (std::abs(z) < 1e-4) return {1 - z * z / 6, -q * z / 3};
  return {std::sin(z) / z, q * (std::cos(z) - std::sin(z) / z) / z};
}

void spherical_bessel(const Bond& bond, double r, double* values, double* derivatives) {
  double d_previous = 1;
  for (int n = 0; n < bond.k_max; ++n) {
    const double first = n + 1, second = n + 2;
    const double norm = (n % 2 ? -1 : 1) * std::sqrt(2.0) * pi / std::pow(bond.r_cut, 1.5) * first * second /
                        std::sqrt(first * first + second * second);
    const Slope a = sinc(first * pi / bond.r_cut, r), b = sinc(second * pi / bond.r_cut, r);
    const Slope f{norm * (a.value + b.value), norm * (a.derivative + b.derivative)};
    const double e = double(n) * n * second * second / (4 * std::pow(first, 4) + 1);
    const double d = n == 0 ? 1 : 1 - e / d_previous, mix = n == 0 ? 0 : std::sqrt(e / d_previous);
    values[n] = (f.value + (n ? mix * values[n - 1] : 0)) / std::sqrt(d);
    derivatives[n] = (f.derivative + (n ? mix * derivatives[n - 1] : 0)) / std::sqrt(d);
    d_previous = d;
  }
}

void apply_inner_cutoff(const Bond& bond, double r, double* values, double* derivatives) {
  // ZBL leaves g alone; with delta_in = 0 the reference cuts it at 1 Å.
  const bool zbl = bond.inner == InnerCutoff::zbl;
  const bool cut = zbl ? bond.delta_in == 0 && r <= 1 : r <= bond.r_in - bond.delta_in;
  const bool smooth = bond.inner == InnerCutoff::distance;
  if (!cut && !smooth) return;
  const Slope inside = switch_function(r, bond.r_in, bond.delta_in);
  for (int k = 0; k < bond.k_max; ++k) {
    const Slope g = cut ? Slope{} : product({values[k], derivatives[k]}, {1 - inside.value, -inside.derivative});
    values[k] = g.value;
    derivatives[k] = g.derivative;
  }
}

// φ(r/a)/r of Ziegler, Biersack and Littmark with its first two derivatives.
std::array<double, 3> screened_coulomb(double r, double a) {
  constexpr double amplitudes[] = {0.18175, 0.50986, 0.28022, 0.02817};
  constexpr double exponents[] = {3.19980, 0.94229, 0.40290, 0.20162};
  double phi = 0, d_phi = 0, dd_phi = 0;
  for (int t = 0; t < 4; ++t) {
    const double term = amplitudes[t] * std::exp(-exponents[t] * r / a), rate = exponents[t] / a;
    phi += term;
    d_phi -= rate * term;
    dd_phi += rate * rate * term;
  }
  return {phi / r, (d_phi - phi / r) / r, (dd_phi - 2 * (d_phi - phi / r) / r) / r};
}

Slope zbl(const Bond& bond, int z_i, int z_j, double r) {
  constexpr double coulomb = 14.399645351950543;  // e²/(4πε₀), eV Å
  const double a = 0.46850 / (std::pow(z_i, 0.23) + std::pow(z_j, 0.23)), width = bond.d_cut;
  const auto e = screened_coulomb(r, a), edge = screened_coulomb(bond.r_cut, a);
  Slope shifted{e[0] - edge[0] + width * edge[1] / 2 - width * width * edge[2] / 12, e[1]};
  if (r > bond.r_cut - width) {
    const double cubic = (-3 * edge[1] + width * edge[2]) / (width * width);
    const double quartic = (2 * edge[1] - width * edge[2]) / (width * width * width);
    const double x = r - (bond.r_cut - width);
    shifted.value += cubic / 3 * x * x * x + quartic / 4 * x * x * x * x;
    shifted.derivative += cubic * x * x + quartic * x * x * x;
  }
  const double scale = bond.core_prefactor * coulomb / 2 * z_i * z_j;
  const Slope result = product(shifted, switch_function(r, bond.r_cut, width));
  return {scale * result.value, scale * result.derivative};
}

Slope exponential_core(const Bond& bond, double r) {
  const double lambda = std::abs(bond.core_lambda), exponent = lambda * r * r;
  if (exponent >= 50) return {};
  const double value = std::abs(bond.core_prefactor) * std::exp(-exponent) / r;
  Slope core = product({value, -value * (2 * lambda * r + 1 / r)}, cosine_cutoff(r, 0, bond.r_cut));
  if (bond.inner == InnerCutoff::distance) core = product(core, switch_function(r, bond.r_in, bond.delta_in));
  return core;
}

}  // namespace

Slope switch_function(double r, double a, double d) {
  if (r <= a - d) return {1, 0};
  if (r >= a) return {0, 0};
  const double x = 1 - 2 * (1 + (r - a) / d), x2 = x * x;
  return {0.5 + 3.75 * x * (0.25 - x2 / 6 + x2 * x2 / 20), -7.5 / d * (0.25 - x2 / 2 + x2 * x2 / 4)};
}

void radial_basis(const Bond& bond, double r, double* values, double* derivatives) {
  if (r >= bond.r_cut || bond.basis == RadialBasis::zero) {
    for (int k = 0; k < bond.k_max; ++k) values[k] = derivatives[k] = 0;
    return;
  }
  const double rest = 1 - r / bond.r_cut;
  switch (bond.basis) {
    case RadialBasis::cheb_exp_cos: chebyshev_exponential(bond, r, values, derivatives); break;
    case RadialBasis::cheb_pow:
      chebyshev_plain(bond, {1 - 2 * std::pow(rest, bond.lambda),
                             2 * bond.lambda * std::pow(rest, bond.lambda - 1) / bond.r_cut}, values, derivatives);
      break;
    case RadialBasis::cheb_linear: chebyshev_plain(bond, {rest, -1 / bond.r_cut}, values, derivatives); break;
    case RadialBasis::sbessel: spherical_bessel(bond, r, values, derivatives); break;
    case RadialBasis::zero: break;
  }
  apply_inner_cutoff(bond, r, values, derivatives);
}

Slope core_repulsion(const Bond& bond, int atomic_number_i, int atomic_number_j, double r) {
  if (r >= bond.r_cut || bond.core_prefactor == 0) return {};
  return bond.inner == InnerCutoff::zbl ? zbl(bond, atomic_number_i, atomic_number_j, r) : exponential_core(bond, r);
}

int atomic_number(const std::string& symbol) {
  static constexpr const char* symbols[] = {
      "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si", "P",  "S",  "Cl", "Ar", "K",  "Ca",
      "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",  "Zr",
      "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd",
      "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",  "Re", "Os", "Ir", "Pt", "Au", "Hg",
      "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm",
      "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"};
  int number = 0;
  for (const auto* known : symbols) {
    ++number;
    if (symbol == known) return number;
  }
  require(false, "'", symbol, "' is not a chemical element; ZBL repulsion needs atomic numbers");
  return 0;
}

}  // namespace polypace::ace
