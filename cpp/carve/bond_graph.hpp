// The bonds of a periodic system, each along its shortest image, and the atoms' images that bonds lead to.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::carve {

using Shift = std::array<std::int32_t, 3>;

inline Shift operator+(const Shift& a, const Shift& b) { return {a[0] + b[0], a[1] + b[1], a[2] + b[2]}; }
inline Shift operator-(const Shift& a, const Shift& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
inline Vec3 operator+(const Vec3& a, const Vec3& b) { return {a[0] + b[0], a[1] + b[1], a[2] + b[2]}; }
inline Vec3 operator-(const Vec3& a, const Vec3& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
inline Vec3 operator*(double factor, const Vec3& a) { return {factor * a[0], factor * a[1], factor * a[2]}; }

// An atom in one cell of the infinite system. A cluster may hold an atom more than once, in different cells.
struct Node {
  std::int32_t atom = 0;
  Shift shift{};
};
inline bool operator==(const Node& a, const Node& b) { return a.atom == b.atom && a.shift == b.shift; }
inline bool operator<(const Node& a, const Node& b) { return a.atom != b.atom ? a.atom < b.atom : a.shift < b.shift; }

struct BondEnd {
  std::int32_t atom;
  std::int32_t bond;  // row in `bonds`
  Shift shift;        // the bond goes from i in cell 0 to `atom` in cell `shift`
  Vec3 displacement;  // r_atom + shift·h − r_i, Å
};

class BondGraph {
 public:
  // positions: (n_atoms, 3); bonds: (n_bonds, 2), each pair once.
  BondGraph(const std::vector<Vec3>& positions, View2<const std::int64_t> bonds, const Cell& cell);

  std::size_t n_atoms() const { return offsets_.size() - 1; }
  std::size_t n_bonds() const { return ends_.size() / 2; }
  std::size_t degree(std::int32_t atom) const { return offsets_[atom + 1] - offsets_[atom]; }
  const BondEnd* begin(std::int32_t atom) const { return ends_.data() + offsets_[atom]; }
  const BondEnd* end(std::int32_t atom) const { return ends_.data() + offsets_[atom + 1]; }

  struct Ends {
    const BondEnd *first, *last;
    const BondEnd* begin() const { return first; }
    const BondEnd* end() const { return last; }
  };
  Ends ends_of(std::int32_t atom) const { return {begin(atom), end(atom)}; }

 private:
  std::vector<std::size_t> offsets_;
  std::vector<BondEnd> ends_;  // sorted by (atom, shift) within each atom
};

// Where a bond leads from a node.
inline Node follow(const Node& node, const BondEnd& end) { return {end.atom, node.shift + end.shift}; }

}  // namespace polypace::carve
