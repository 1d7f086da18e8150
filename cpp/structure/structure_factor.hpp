// Fourier components of the density on the reciprocal lattice of the cell.
#pragma once

#include <cstdint>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::structure {

// ρ_a(q) = Σ_{j of type a} exp(i q·r_j) for q = 2π (n₁ b₁ + n₂ b₂ + n₃ b₃), where s = r·(b₁ b₂ b₃) are fractional
// coordinates. vectors (n_vectors, 3): integers n. densities (n_types, n_vectors, 2: real, imaginary) is set.
void density_modes(View2<const double> positions, View1<const std::int32_t> types, const Cell& cell,
                   View2<const std::int64_t> vectors, View3<double> densities, int n_threads);

}  // namespace polypace::structure
