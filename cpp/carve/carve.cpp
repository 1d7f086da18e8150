#include "carve/carve.hpp"

#include <algorithm>
#include <sstream>
#include <string>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "carve/requests.hpp"

namespace polypace::carve {
namespace {

constexpr double shrink_step = 0.25;  // Å

std::string in_angstrom(double length) {
  std::ostringstream text;
  text << length << " Å";
  return text.str();
}

void finish(const System& system, const CarveOptions& options, Cluster& cluster) {
  if (options.periodic) {
    std::vector<double> radii(cluster.n_atoms(), options.hydrogen_contact);
    for (std::size_t i = 0; i < cluster.n_kept; ++i)
      if (!system.hydrogen[cluster.nodes[i].atom]) radii[i] = options.other_contact;
    pack_periodically(cluster, radii);
  } else {
    place_in_vacuum(cluster, options.vacuum);
  }
  weigh_atoms(system, cluster, options.weights);
}

class Carver {
 public:
  Carver(const System& system, const CarveOptions& options) : system_(system), options_(options) {}

  // More than one cluster where a joint one would be too large.
  std::vector<Cluster> carve(const Request& request) const {
    Cluster cluster = select(request, options_.selection.buffer_radius);
    if (fits(cluster)) return {finished(std::move(cluster), request)};
    std::vector<Cluster> clusters;
    if (request.members.size() > 1) {
      for (std::size_t i = 0; i < request.members.size(); ++i)
        for (auto& single : carve({{request.members[i]}, {request.seeds[i]}})) clusters.push_back(std::move(single));
      return clusters;
    }
    return {finished(shrunk(request, std::move(cluster)), request)};
  }

 private:
  bool fits(const Cluster& cluster) const {
    return options_.max_atoms == 0 || cluster.n_atoms() <= options_.max_atoms;
  }

  Cluster select(const Request& request, double buffer_radius) const {
    SelectionOptions selection = options_.selection;
    selection.buffer_radius = buffer_radius;
    Cluster cluster = assemble(system_, select_nodes(system_, all_seeds(request), selection));
    cluster.buffer_radius = buffer_radius;
    cluster.requests = request.members;
    cluster.leader = request.seeds[0].front().atom;
    return cluster;
  }

  Cluster shrunk(const Request& request, Cluster cluster) const {
    const double smallest = options_.shrink ? options_.smallest_buffer : options_.selection.buffer_radius;
    while (!fits(cluster) && cluster.buffer_radius > smallest)
      cluster = select(request, std::max(smallest, cluster.buffer_radius - shrink_step));
    require(fits(cluster), "the cluster around atom ", request.seeds[0].front().atom, " (centers[",
            request.members.front(), "]) has ", cluster.n_atoms(), " atoms at buffer_radius = ",
            in_angstrom(cluster.buffer_radius), options_.shrink ? ", the smallest allowed" : "",
            ", more than max_atoms = ", options_.max_atoms,
            options_.shrink ? ": raise max_atoms, or lower core_radius or cutoff"
                            : ": raise max_atoms, lower buffer_radius, or choose on_excess=\"shrink\"");
    return cluster;
  }

  Cluster finished(Cluster cluster, const Request& request) const {
    finish(system_, options_, cluster);
    require(std::any_of(cluster.weighted.begin(), cluster.weighted.end(), [](auto flag) { return flag != 0; }),
            "no atom of the cluster around atom ", request.seeds[0].front().atom, " (centers[",
            request.members.front(), "], ", cluster.n_atoms(), " atoms) has a whole sphere of ",
            in_angstrom(options_.weights.radius), ": raise buffer_radius or lower cutoff");
    return cluster;
  }

  const System& system_;
  const CarveOptions& options_;
};

}  // namespace

std::vector<Cluster> carve_clusters(const System& system, const std::vector<std::vector<std::int64_t>>& requests,
                                    const CarveOptions& options, int n_threads) {
  auto placed = place_requests(system, requests);
  if (options.merge) placed = merge_requests(system, placed, options.selection.core_radius);
  std::vector<std::vector<Cluster>> carved(placed.size());
  const Carver carver(system, options);
  parallel_for(placed.size(), n_threads, [&](std::size_t i, int) { carved[i] = carver.carve(placed[i]); });
  std::vector<Cluster> clusters;
  for (auto& group : carved)
    for (auto& cluster : group) clusters.push_back(std::move(cluster));
  return clusters;
}

}  // namespace polypace::carve
