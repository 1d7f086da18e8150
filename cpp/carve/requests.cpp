#include "carve/requests.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/errors.hpp"

namespace polypace::carve {
namespace {

// The image of `atom` nearest to `node`; rounding first, then the cells around it, because rounding alone misses the
// nearest image in skewed cells.
Node nearest_image(const System& system, std::int32_t atom, const Node& node) {
  const Vec3 from = system.position(node);
  const Vec3 s = system.cell.fractional(from - system.positions[atom]);
  Node best;
  double least = std::numeric_limits<double>::infinity();
  Shift offset{};
  const auto reach = [&](int d) { return system.cell.pbc()[d] ? 1 : 0; };
  for (offset[0] = -reach(0); offset[0] <= reach(0); ++offset[0])
    for (offset[1] = -reach(1); offset[1] <= reach(1); ++offset[1])
      for (offset[2] = -reach(2); offset[2] <= reach(2); ++offset[2]) {
        Node candidate{atom, offset};
        for (int d = 0; d < 3; ++d)
          if (system.cell.pbc()[d]) candidate.shift[d] += static_cast<std::int32_t>(std::lround(s[d]));
        const Vec3 r = system.position(candidate) - from;
        if (dot(r, r) < least - 1e-9) {
          least = dot(r, r);
          best = candidate;
        }
      }
  return best;
}

std::vector<Node> translated(const std::vector<Node>& nodes, const Shift& shift) {
  std::vector<Node> moved = nodes;
  for (auto& node : moved) node.shift = node.shift + shift;
  return moved;
}

}  // namespace

std::vector<Request> place_requests(const System& system, const std::vector<std::vector<std::int64_t>>& requests) {
  std::vector<Request> placed;
  const auto n_atoms = static_cast<std::int64_t>(system.positions.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    require(!requests[i].empty(), "centers[", i, "] is empty; name at least one atom");
    std::vector<Node> seeds;
    for (const auto atom : requests[i]) {
      require(atom >= 0 && atom < n_atoms, "centers[", i, "] names atom ", atom, ", but atoms are 0…", n_atoms - 1);
      const auto index = static_cast<std::int32_t>(atom);
      seeds.push_back(seeds.empty() ? Node{index, {}} : nearest_image(system, index, seeds.front()));
    }
    placed.push_back({{i}, {seeds}});
  }
  return placed;
}

std::vector<Request> merge_requests(const System& system, const std::vector<Request>& requests, double core_radius) {
  std::unordered_multimap<std::int32_t, std::pair<std::size_t, Shift>> by_atom;  // → request, cell of that seed
  for (std::size_t i = 0; i < requests.size(); ++i)
    for (const auto& seed : requests[i].seeds[0]) by_atom.emplace(seed.atom, std::make_pair(i, seed.shift));

  std::vector<std::uint8_t> taken(requests.size(), 0);
  std::vector<Request> merged;
  std::vector<neighbors::Pair> pairs;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (taken[i]) continue;
    taken[i] = 1;
    Request leader = requests[i];
    std::vector<std::pair<std::size_t, Shift>> joining;
    const auto recruit = [&](const Node& at) {
      const auto [first, last] = by_atom.equal_range(at.atom);
      for (auto entry = first; entry != last; ++entry) {
        const auto& [request, cell] = entry->second;
        if (taken[request]) continue;
        taken[request] = 1;
        joining.emplace_back(request, at.shift - cell);
      }
    };
    for (const auto& seed : requests[i].seeds[0]) {
      recruit(seed);
      system.grid.pairs_of(seed.atom, core_radius, pairs);
      for (const auto& pair : pairs) recruit({pair.j, seed.shift + pair.shift});
    }
    std::sort(joining.begin(), joining.end());
    for (const auto& [request, shift] : joining) {
      leader.members.push_back(request);
      leader.seeds.push_back(translated(requests[request].seeds[0], shift));
    }
    merged.push_back(std::move(leader));
  }
  return merged;
}

std::vector<Node> all_seeds(const Request& request) {
  std::vector<Node> seeds;
  for (const auto& nodes : request.seeds) seeds.insert(seeds.end(), nodes.begin(), nodes.end());
  return seeds;
}

}  // namespace polypace::carve
