// From the B-basis to explicit sums over m-vectors (the C-tilde form).
#include <map>
#include <tuple>
#include <vector>

#include "ace/coupling.hpp"
#include "ace/ordering.hpp"
#include "base/errors.hpp"

namespace polypace::ace {
namespace {

using Factors = std::tuple<std::vector<int>, std::vector<int>, std::vector<int>>;  // mus, ns, ls
using Rows = std::map<std::vector<int>, std::vector<double>>;                      // m-vector → coefficient per density

void add_to(Rows& rows, const CoupledFunction& function, const std::vector<double>& coefficients) {
  const int rank = function.rank();
  for (int row = 0; row < function.n_ms(); ++row) {
    const auto* m = function.ms.data() + row * rank;
    auto& sums = rows[std::vector<int>(m, m + rank)];
    sums.resize(coefficients.size(), 0.0);
    for (std::size_t p = 0; p < coefficients.size(); ++p) sums[p] += coefficients[p] * function.weights[row];
  }
}

CTildeFunction flattened(const Factors& factors, const Rows& rows) {
  CTildeFunction function{std::get<0>(factors), std::get<1>(factors), std::get<2>(factors), {}, {}};
  for (const auto& [m, coefficients] : rows) {
    function.ms.insert(function.ms.end(), m.begin(), m.end());
    function.ctildes.insert(function.ctildes.end(), coefficients.begin(), coefficients.end());
  }
  return function;
}

std::vector<CTildeFunction> ctilde_functions(const BPotential& potential, int mu0) {
  const auto coupled = coupled_functions(potential, mu0);
  const auto n_densities = static_cast<std::size_t>(potential.embeddings[mu0].n_densities);
  std::map<Factors, Rows> groups;
  for (std::size_t f = 0; f < coupled.size(); ++f) {
    const auto& coefficients = potential.functions[mu0][f].coefficients;
    require(coefficients.size() == n_densities, "a function of ", potential.elements[mu0], " has ", coefficients.size(),
            " coefficients, its element has ", n_densities, " densities");
    add_to(groups[{coupled[f].mus, coupled[f].ns, coupled[f].ls}], coupled[f], coefficients);
  }
  std::vector<CTildeFunction> functions;
  for (const auto& [factors, rows] : groups) functions.push_back(flattened(factors, rows));
  const auto keys = functions;
  sort_by(functions, keys);
  return functions;
}

}  // namespace

CTildePotential to_ctilde(const BPotential& potential) {
  CTildePotential result;
  static_cast<PotentialHeader&>(result) = potential;
  if (result.e0.empty()) result.e0.assign(potential.elements.size(), 0.0);
  for (int mu0 = 0; mu0 < potential.n_species(); ++mu0) result.functions.push_back(ctilde_functions(potential, mu0));
  return result;
}

}  // namespace polypace::ace
