// The nodes of one growing cluster, in the order in which they were added.
#pragma once

#include <cstdint>
#include <vector>

#include "base/errors.hpp"
#include "carve/bond_graph.hpp"

namespace polypace::carve {

class KeptSet {
 public:
  KeptSet() : slots_(64, empty) {}

  // True when the node was not there yet.
  bool add(const Node& node) {
    const auto wanted = key(node);
    const std::size_t slot = slot_of(wanted);
    if (slots_[slot] != empty) return false;
    require(nodes_.size() < largest, "a cluster grew beyond ", largest, " atoms: ", endless);
    slots_[slot] = static_cast<std::int32_t>(nodes_.size());
    nodes_.push_back(node);
    keys_.push_back(wanted);
    if (2 * nodes_.size() > slots_.size()) grow();
    return true;
  }
  bool contains(const Node& node) const { return find(node) >= 0; }
  // Position in nodes(), or -1.
  std::int32_t find(const Node& node) const { return slots_[slot_of(key(node))]; }
  const std::vector<Node>& nodes() const { return nodes_; }
  std::size_t size() const { return nodes_.size(); }

 private:
  static constexpr std::int32_t empty = -1;
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

  static std::uint64_t scatter(std::uint64_t x) {  // the finaliser of splitmix64 (public domain)
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }

  // Linear probing in a table that is at most half full: where the key is, or where it would go.
  std::size_t slot_of(std::uint64_t wanted) const {
    std::size_t slot = scatter(wanted) & (slots_.size() - 1);
    while (slots_[slot] != empty && keys_[slots_[slot]] != wanted) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  void grow() {
    slots_.assign(2 * slots_.size(), empty);
    for (std::size_t i = 0; i < keys_.size(); ++i) slots_[slot_of(keys_[i])] = static_cast<std::int32_t>(i);
  }

  std::vector<Node> nodes_;
  std::vector<std::uint64_t> keys_;
  std::vector<std::int32_t> slots_;  // positions in nodes_; a power of two of them
};

}  // namespace polypace::carve
