#include "formats/function_entry.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "ace/coupling.hpp"
#include "formats/header_checks.hpp"

namespace polypace::formats {
namespace {

void check_lengths(const Field& field, const ace::BasisFunction& function) {
  const auto rank = function.mus.size();
  field.check(function.ns.size() == rank, "type names ", rank, " neighbours, nr has ", function.ns.size(), " entries");
  field.check(function.ls.size() == rank, "type names ", rank, " neighbours, nl has ", function.ls.size(), " entries");
  const std::size_t needed = rank > 2 ? rank - 2 : 0;
  field.check(function.lint.size() == needed, "len of LS should be ", needed, " for rank ", rank, ", lint has ",
              function.lint.size(), " entries");
}

void check_momenta(const Field& field, const ace::PotentialHeader& header, int mu0, const ace::BasisFunction& function) {
  const auto& ls = function.ls;
  const int sum = std::accumulate(ls.begin(), ls.end(), 0);
  field.check(sum % 2 == 0, "Sum of ls is not even: ", sum);
  field.check(function.rank() != 1 || ls[0] == 0, "nl of a rank-1 function must be [0], got [", ls[0], "]");
  field.check(function.rank() != 2 || ls[0] == ls[1], "All elements of ls of a rank-2 function should be equal, got ", ls[0],
              " and ", ls[1]);
  int l_max = 0;
  for (const int mu : function.mus) l_max = std::max(l_max, header.bond(mu0, mu).l_max);
  for (const int l : function.lint)
    field.check(l <= 2 * l_max, "lint must be at most 2·lmax = ", 2 * l_max, ", got ", l);
  for (const auto& [l_left, l_right, l] : ace::couplings_of(function))
    field.check(std::abs(l_left - l_right) <= l && l <= l_left + l_right, "lint breaks a triangle rule: momenta ", l_left, " and ",
                l_right, " cannot couple to ", l, "; the function would vanish");
}

}  // namespace

ace::BasisFunction read_function_entry(const Field& field, const ace::PotentialHeader& header, int mu0, std::vector<int> mus) {
  ace::BasisFunction function;
  function.mus = std::move(mus);
  function.ns = field.at("nr").integers(1, max_radial);
  for (int& n : function.ns) --n;
  function.ls = field.at("nl").integers(0, max_momentum);
  if (const auto lint = field.find("lint")) function.lint = lint->integers(0, 2 * max_momentum);
  const auto c = field.at("c");
  function.coefficients = c.is_scalar() ? std::vector<double>{c.number()} : c.numbers();
  const auto n_densities = static_cast<std::size_t>(header.embeddings[mu0].n_densities);
  c.check(function.coefficients.size() == n_densities, "'n-body' function has ", function.coefficients.size(),
          " coefficients, but the embedding function for ", header.elements[mu0], " expects ", n_densities);
  check_lengths(field, function);
  check_factors(field, header, mu0, function.mus, function.ns, function.ls);
  check_momenta(field, header, mu0, function);
  return function;
}

}  // namespace polypace::formats
