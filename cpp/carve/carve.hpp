// Clusters out of a periodic melt: requests merged, atoms selected, cut bonds capped, forces weighed.
#pragma once

#include <cstdint>
#include <vector>

#include "carve/cluster.hpp"
#include "carve/environment.hpp"
#include "carve/system.hpp"

namespace polypace::carve {

struct CarveOptions {
  SelectionOptions selection;
  WeightOptions weights;
  bool merge;                 // requests with a seed inside another's core join it
  bool periodic;              // a small periodic cell instead of vacuum
  double vacuum;              // Å
  double hydrogen_contact, other_contact;  // Å, radii for periodic packing
  std::size_t max_atoms;      // 0: no limit
  bool shrink;                // a cluster that is too large gets a smaller buffer, else it is an error
  double smallest_buffer;     // Å
};

// requests: atoms around which each cluster is carved. Clusters come in the order of their first request.
std::vector<Cluster> carve_clusters(const System& system, const std::vector<std::vector<std::int64_t>>& requests,
                                    const CarveOptions& options, int n_threads);

}  // namespace polypace::carve
