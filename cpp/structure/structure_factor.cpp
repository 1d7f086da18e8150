#include "structure/structure_factor.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "base/errors.hpp"
#include "base/threads.hpp"

namespace polypace::structure {
namespace {

constexpr double two_pi = 6.28318530717958647692;
constexpr std::size_t atoms_per_block = 256;

// exp(2πi n s) of the atoms of one block for n = 0…highest: real and imaginary parts, atoms one behind the other.
class Powers {
 public:
  Powers(const std::vector<double>& s, std::int64_t highest) : n_(s.size()), real_((highest + 1) * n_), imag_(real_.size()) {
    for (std::size_t k = 0; k < n_; ++k) {
      real_[k] = 1;
      imag_[k] = 0;
      const double c = std::cos(two_pi * s[k]), d = std::sin(two_pi * s[k]);
      for (std::int64_t n = 1; n <= highest; ++n) {
        const std::size_t at = n * n_ + k;
        real_[at] = real_[at - n_] * c - imag_[at - n_] * d;
        imag_[at] = real_[at - n_] * d + imag_[at - n_] * c;
      }
    }
  }
  const double* real(std::int64_t n) const { return &real_[std::abs(n) * n_]; }
  const double* imag(std::int64_t n) const { return &imag_[std::abs(n) * n_]; }

 private:
  std::size_t n_;
  std::vector<double> real_, imag_;
};

struct Block {
  std::int32_t type;
  std::vector<double> s[3];
};

std::vector<Block> sort_into_blocks(View2<const double> positions, View1<const std::int32_t> types, const Cell& cell,
                                    std::size_t n_types) {
  std::vector<Block> blocks;
  std::vector<std::size_t> open(n_types, static_cast<std::size_t>(-1));
  for (std::size_t i = 0; i < positions.extent(0); ++i) {
    const auto type = types(i);
    require(type >= 0 && static_cast<std::size_t>(type) < n_types, "type of atom ", i, " is ", type);
    if (open[type] == static_cast<std::size_t>(-1) || blocks[open[type]].s[0].size() == atoms_per_block) {
      open[type] = blocks.size();
      blocks.push_back({type, {}});
    }
    Vec3 s = cell.fractional({positions(i, 0), positions(i, 1), positions(i, 2)});
    for (int d = 0; d < 3; ++d) blocks[open[type]].s[d].push_back(s[d] - std::floor(s[d]));
  }
  return blocks;
}

std::complex<double> sum_block(const Powers (&powers)[3], const std::int64_t* n, std::size_t n_atoms) {
  const double *xr = powers[0].real(n[0]), *xi = powers[0].imag(n[0]), *yr = powers[1].real(n[1]),
               *yi = powers[1].imag(n[1]), *zr = powers[2].real(n[2]), *zi = powers[2].imag(n[2]);
  const double sx = n[0] < 0 ? -1 : 1, sy = n[1] < 0 ? -1 : 1, sz = n[2] < 0 ? -1 : 1;
  double real = 0, imag = 0;
  for (std::size_t k = 0; k < n_atoms; ++k) {
    const double xyr = xr[k] * yr[k] - sx * xi[k] * sy * yi[k], xyi = xr[k] * sy * yi[k] + sx * xi[k] * yr[k];
    real += xyr * zr[k] - xyi * sz * zi[k];
    imag += xyr * sz * zi[k] + xyi * zr[k];
  }
  return {real, imag};
}

}  // namespace

void density_modes(View2<const double> positions, View1<const std::int32_t> types, const Cell& cell,
                   View2<const std::int64_t> vectors, View3<double> densities, int n_threads) {
  require(positions.extent(1) == 3 && types.extent(0) == positions.extent(0),
          "positions must have 3 columns and types one entry per atom");
  std::int64_t highest[3] = {0, 0, 0};
  for (std::size_t q = 0; q < vectors.extent(0); ++q)
    for (int d = 0; d < 3; ++d) highest[d] = std::max(highest[d], std::abs(vectors(q, d)));
  for (const auto n : highest) require(n < 100000, "the integers of a reciprocal vector must be below 1e5, got ", n);
  const auto blocks = sort_into_blocks(positions, types, cell, densities.extent(0));
  const std::size_t n_vectors = vectors.extent(0), size = 2 * n_vectors;
  // Groups of blocks are tasks; their sums are added in order, so that threads do not change the result.
  constexpr std::size_t n_groups = 16;
  std::vector<std::vector<double>> partial(n_groups);
  parallel_for(n_groups, n_threads, [&](std::size_t group, int) {
    auto& sums = partial[group];
    sums.assign(densities.extent(0) * size, 0.0);
    for (std::size_t b = group; b < blocks.size(); b += n_groups) {
      const Powers powers[3] = {{blocks[b].s[0], highest[0]}, {blocks[b].s[1], highest[1]}, {blocks[b].s[2], highest[2]}};
      double* out = &sums[blocks[b].type * size];
      for (std::size_t q = 0; q < n_vectors; ++q) {
        const auto mode = sum_block(powers, &vectors(q, 0), blocks[b].s[0].size());
        out[2 * q] += mode.real();
        out[2 * q + 1] += mode.imag();
      }
    }
  });
  std::fill(densities.data(), densities.data() + densities.size(), 0.0);
  for (const auto& sums : partial)
    for (std::size_t k = 0; k < sums.size(); ++k) densities.data()[k] += sums[k];
}

}  // namespace polypace::structure
