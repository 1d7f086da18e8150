// Periodic cell: rows of `h` are the cell vectors (ASE convention), r = s·h for fractional s.
#pragma once

#include <array>
#include <cmath>

#include "base/errors.hpp"

namespace polypace {

using Vec3 = std::array<double, 3>;

inline Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
inline double dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
inline double norm(const Vec3& a) { return std::sqrt(dot(a, a)); }

class Cell {
 public:
  // `pbc` false in a direction: no images along that cell vector (the vector must still be finite and independent).
  Cell(const std::array<Vec3, 3>& rows, const std::array<bool, 3>& pbc) : rows_(rows), pbc_(pbc) {
    const Vec3 bc = cross(rows[1], rows[2]), ca = cross(rows[2], rows[0]), ab = cross(rows[0], rows[1]);
    const double determinant = dot(rows[0], bc);
    volume_ = std::abs(determinant);
    require(std::isfinite(determinant) && volume_ > 0, "the cell vectors must be finite and independent, got volume ",
            determinant);
    for (int d = 0; d < 3; ++d) {
      inverse_columns_[0][d] = bc[d] / determinant;
      inverse_columns_[1][d] = ca[d] / determinant;
      inverse_columns_[2][d] = ab[d] / determinant;
    }
  }

  const std::array<Vec3, 3>& rows() const { return rows_; }
  const std::array<bool, 3>& pbc() const { return pbc_; }
  double volume() const { return volume_; }
  // Distance between the two lattice planes spanned by the other two vectors.
  double height(int d) const { return 1.0 / norm(inverse_columns_[d]); }

  Vec3 fractional(const Vec3& r) const {
    return {dot(r, inverse_columns_[0]), dot(r, inverse_columns_[1]), dot(r, inverse_columns_[2])};
  }
  Vec3 cartesian(const Vec3& s) const {
    Vec3 r{};
    for (int d = 0; d < 3; ++d) r[d] = s[0] * rows_[0][d] + s[1] * rows_[1][d] + s[2] * rows_[2][d];
    return r;
  }
  // Nearest image by rounding fractional coordinates: exact for vectors shorter than half the smallest height,
  // which is what bonds and one-step displacements are.
  Vec3 wrap_displacement(const Vec3& r) const {
    Vec3 s = fractional(r);
    for (int d = 0; d < 3; ++d)
      if (pbc_[d]) s[d] -= std::round(s[d]);
    return cartesian(s);
  }

 private:
  std::array<Vec3, 3> rows_;
  std::array<bool, 3> pbc_;
  std::array<Vec3, 3> inverse_columns_{};
  double volume_ = 0;
};

}  // namespace polypace
