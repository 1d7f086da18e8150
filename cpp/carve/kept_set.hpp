// The nodes of one growing cluster, in the order in which they were added.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/errors.hpp"
#include "carve/bond_graph.hpp"

namespace polypace::carve {

class KeptSet {
 public:
  // True when the node was not there yet.
  bool add(const Node& node) {
    const bool is_new = index_.emplace(key(node), static_cast<std::int32_t>(nodes_.size())).second;
    if (!is_new) return false;
    require(nodes_.size() < largest, "a cluster grew beyond ", largest, " atoms: ", endless);
    nodes_.push_back(node);
    return true;
  }
  bool contains(const Node& node) const { return index_.count(key(node)) > 0; }
  // Position in nodes(), or -1.
  std::int32_t find(const Node& node) const {
    const auto found = index_.find(key(node));
    return found == index_.end() ? -1 : found->second;
  }
  const std::vector<Node>& nodes() const { return nodes_; }
  std::size_t size() const { return nodes_.size(); }

 private:
  static constexpr std::size_t largest = 2000000;
  static constexpr const char* endless =
      "a chain or network that the periodic cell continues for ever has no bond here that may be cut; use "
      "mode=\"capped\", or give bond orders";

  // 31 bits for the atom, 11 for each cell index.
  static std::uint64_t key(const Node& node) {
    auto packed = static_cast<std::uint64_t>(node.atom);
    for (const auto s : node.shift) {
      require(s > -1024 && s < 1024, "a cluster reaches over ", s, " cells: ", endless);
      packed = (packed << 11) | static_cast<std::uint64_t>(s + 1024);
    }
    return packed;
  }

  struct Hash {
    std::size_t operator()(std::uint64_t x) const {  // the finaliser of splitmix64 (public domain)
      x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
      x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
      return x ^ (x >> 31);
    }
  };

  std::vector<Node> nodes_;
  std::unordered_map<std::uint64_t, std::int32_t, Hash> index_;
};

}  // namespace polypace::carve
