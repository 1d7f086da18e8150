// What all clusters of one frame share: wrapped positions, bonds, where they may be cut, and who is near whom.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"
#include "carve/bond_graph.hpp"
#include "neighbors/cell_grid.hpp"

namespace polypace::carve {

struct System {
  Cell cell;
  std::vector<Vec3> positions;  // inside the cell, Å
  std::vector<Shift> home_shifts;  // given position = wrapped position + home_shift·h
  std::vector<std::uint8_t> hydrogen;  // bonded to a heavier atom, with which it is kept or left
  std::vector<double> cap_lengths;  // per atom: length of its X–H bond, Å
  BondGraph graph;
  std::vector<std::uint8_t> cuttable;  // per bond
  bool united;                         // no explicit hydrogens: cut ends change their type and get no cap
  neighbors::CellGrid grid;

  Vec3 position(const Node& node) const {
    return positions[node.atom] + translation(node.shift);
  }
  Vec3 translation(const Shift& shift) const {
    return cell.cartesian({double(shift[0]), double(shift[1]), double(shift[2])});
  }
};

struct SystemInput {
  View2<const double> positions;       // (n_atoms, 3), Å
  View1<const std::int64_t> numbers;   // (n_atoms,)
  View2<const std::int64_t> bonds;     // (n_bonds, 2)
  View1<const double> bond_orders;     // (n_bonds,), or empty: inferred
  View1<const double> cap_lengths;     // (n_atoms,), Å
  bool united;
  int max_ring_size;
  double typical_radius;  // Å; what the grid's bins are made for
};

System make_system(const SystemInput& input, const Cell& cell, int n_threads);

}  // namespace polypace::carve
