// Is what an atom sees in the cluster what it saw in the melt?
#pragma once

#include <vector>

#include "carve/cluster.hpp"
#include "carve/system.hpp"

namespace polypace::carve {

struct WeightOptions {
  double radius;      // Å: the sphere that must be whole
  bool only_core;     // labels computed on the cluster: atoms of the core; inherited labels: all atoms that qualify
  int whole_bonds;    // all atoms within so many bonds must be there, unchanged (0: not asked for)
};

// Sets `weighted` for the atoms whose neighbours within the radius are those of the melt, all of them, unchanged and
// no others; compares their displacements one by one and keeps the largest difference in `environment_error`.
// A difference above 1e-10 Å is a NumericalError.
void weigh_atoms(const System& system, Cluster& cluster, const WeightOptions& options);

}  // namespace polypace::carve
