// What clusters are asked for: seeds placed near each other, overlapping requests joined.
#pragma once

#include <cstdint>
#include <vector>

#include "carve/system.hpp"

namespace polypace::carve {

struct Request {
  std::vector<std::size_t> members;        // indices of the requests that were joined
  std::vector<std::vector<Node>> seeds;    // per member
};

std::vector<Request> place_requests(const System& system, const std::vector<std::vector<std::int64_t>>& requests);

// A request with a seed inside the core of an earlier one (its leader) joins it. Members do not recruit further
// members, so no cluster grows along a chain of requests.
std::vector<Request> merge_requests(const System& system, const std::vector<Request>& requests, double core_radius);

std::vector<Node> all_seeds(const Request& request);

}  // namespace polypace::carve
