#include "ace/extrapolation.hpp"

#include <cmath>

#include "base/errors.hpp"

namespace polypace::ace {

Extrapolation::Extrapolation(const ActiveSet& active_set, const std::vector<std::string>& elements,
                             const std::vector<int>& functions, const std::vector<int>& densities) {
  const std::size_t n_species = elements.size();
  require(active_set.matrices.size() == n_species, "the active set has matrices for ", active_set.matrices.size(),
          " species, the potential has ", n_species);
  bool linear = true, full = true;
  for (std::size_t mu = 0; mu < n_species; ++mu) {
    const auto length = active_set.matrices[mu].size();
    const auto size = static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(length))));
    require(size * size == length, "the active set of ", elements[mu], " is not square: ", length, " numbers");
    const auto n = static_cast<std::size_t>(functions[mu]), np = n * densities[mu];
    require(n > 0 || size == 0, "an extrapolation grade needs a B-basis potential (.yaml)");
    linear = linear && size == n;
    full = full && size == np;
    require(size == n || size == np, "the active set of ", elements[mu], " has size ", size, ", but the potential has ",
            n, " functions (linear) or ", np, " (full); use the active set made for this potential");
    Inverse inverse{static_cast<int>(size), functions[mu], densities[mu], {}};
    const std::size_t n_panels = (size + 7) / 8;
    inverse.panels.assign(n_panels * 8 * size, 0.0);
    for (std::size_t row = 0; row < size; ++row)
      for (std::size_t column = 0; column < size; ++column)
        inverse.panels[(column / 8 * size + row) * 8 + column % 8] = active_set.matrices[mu][row * size + column];
    species_.push_back(std::move(inverse));
  }
  require(linear || full, "could not determine the kind of the active set: some species have linear, others full size");
  full_ = !linear;
}

void Extrapolation::grade(int species, const kernel::Functions& kernel, LaneBlock& lanes) const {
  const Inverse& inverse = species_[species];
  const double* rows = lanes.block.terms;
  if (full_) {
    double* scaled = lanes.grade_rows(inverse.size);
    rows = scaled;
    for (int p = 0; p < inverse.n_densities; ++p)
      for (int f = 0; f < inverse.n_functions; ++f)
        for (int lane = 0; lane < kernel.width; ++lane)
          *scaled++ = lanes.density_weights[p * kernel.width + lane] * lanes.block.terms[f * kernel.width + lane];
  }
  kernel.grade(rows, inverse.panels.data(), inverse.size, inverse.size, lanes.grades);
}

}  // namespace polypace::ace
