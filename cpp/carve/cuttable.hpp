// Which bonds may be cut: single C–C bonds outside of rings.
#pragma once

#include <cstdint>
#include <vector>

#include "base/view.hpp"
#include "carve/bond_graph.hpp"

namespace polypace::carve {

// One flag per bond. A bond is in a ring when a closed walk of at most `max_ring_size` atoms without net translation
// passes it: neither a chain bonded to its own periodic image nor a macrocycle is a ring in this sense.
// numbers: atomic numbers. orders: bond orders, or empty; then, where hydrogens are explicit, bonds between two carbons
// with fewer than four neighbours count as multiple.
std::vector<std::uint8_t> find_cuttable_bonds(const BondGraph& graph, View1<const std::int64_t> numbers,
                                              View1<const double> orders, bool explicit_hydrogens, int max_ring_size,
                                              int n_threads);

}  // namespace polypace::carve
