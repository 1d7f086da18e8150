// Which atoms a cluster keeps, and which bonds it cuts for that.
#pragma once

#include <cstdint>
#include <vector>

#include "carve/bond_graph.hpp"
#include "carve/system.hpp"

namespace polypace::carve {

struct SelectionOptions {
  double core_radius;    // Å, around every seed: atoms whose forces the cluster is made for
  double buffer_radius;  // Å, around every seed: atoms that are kept
  int core_bonds;        // bonds from any core atom to the nearest cut, at least
  int bridge_length;     // carbons; gaps of a chain up to this long are filled
  bool cut_bonds;        // false: whole molecules
};

struct Cut {
  std::int32_t kept;  // position in Selection::nodes
  Node removed;
  Vec3 displacement;  // from the kept to the removed atom, Å
};

struct Selection {
  std::vector<Node> nodes;          // sorted by (atom, shift)
  std::vector<std::uint8_t> core;   // per node
  std::vector<Cut> cuts;            // in the order of nodes
  std::vector<std::int32_t> seeds, bridged, promoted;  // positions in nodes
};

Selection select_nodes(const System& system, const std::vector<Node>& seeds, const SelectionOptions& options);

}  // namespace polypace::carve
