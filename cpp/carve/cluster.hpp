// One carved cluster: kept atoms, caps, bonds, its own cell.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "carve/selection.hpp"
#include "carve/system.hpp"

namespace polypace::carve {

struct Cluster {
  std::vector<Node> nodes;               // kept atoms first, then caps; a cap holds the removed atom that it replaces
  std::size_t n_kept = 0;
  std::vector<Vec3> positions;           // Å, inside the cluster's cell
  std::vector<std::int32_t> n_cuts;      // per atom: bonds it lost
  std::vector<std::int32_t> cap_parents; // per cap: the atom that it is bonded to
  std::vector<std::uint8_t> core;        // per atom
  std::vector<std::uint8_t> weighted;    // per atom: its force counts
  std::vector<std::array<std::int32_t, 2>> bonds;
  std::vector<Cut> cuts;
  std::vector<std::int32_t> seeds, bridged, promoted;
  std::array<Vec3, 3> cell{};            // rows, Å
  bool periodic = false;
  std::int32_t leader = 0;               // first seed of the first request; its wrapped image is in cell 0
  std::vector<std::size_t> requests;     // which requests it answers
  double buffer_radius = 0;              // Å, as used
  double closest_contact = 0;            // Å, between a cap and an atom more than two bonds away; infinite without caps
  double environment_error = 0;          // Å, largest difference of a displacement in the checked environments

  std::size_t n_atoms() const { return nodes.size(); }
};

// Atoms, caps and bonds; positions still in the frame of the system.
Cluster assemble(const System& system, Selection selection);

// Smallest distance between a cap and any atom that is neither its carbon nor bonded to its carbon.
double closest_contact(const Cluster& cluster);

// Puts the cluster in the middle of a box with `vacuum` (Å) on every side.
void place_in_vacuum(Cluster& cluster, double vacuum);

// Puts the cluster in the smallest face-centred cubic lattice (the densest packing of what is roughly a ball) in which
// no two atoms of different images come nearer than the sum of their contact radii (per atom, Å).
void pack_periodically(Cluster& cluster, const std::vector<double>& contact_radii);

}  // namespace polypace::carve
