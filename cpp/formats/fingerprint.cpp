#include "formats/fingerprint.hpp"

#include <cstdint>
#include <cstring>

#include "base/errors.hpp"

namespace polypace::formats {
namespace {

const std::string linear_prefix = "polypace linear ", full_prefix = "polypace full ";

// Fowler, Noll, Vo: draft-eastlake-fnv. Extents go in before contents, so that ([1, 2], [3]) is not ([1], [2, 3]).
class Hash {
 public:
  void add(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) state_ = (state_ ^ (value >> (8 * i) & 0xff)) * 0x100000001b3u;
  }
  void add(int value) { add(static_cast<std::uint64_t>(static_cast<std::int64_t>(value))); }
  void add(double value) {
    std::uint64_t bits;
    value += 0.0;  // -0 and 0 are one number
    std::memcpy(&bits, &value, sizeof bits);
    add(bits);
  }
  void add(const std::string& text) {
    add(std::uint64_t{text.size()});
    for (const unsigned char c : text) add(std::uint64_t{c});
  }
  template <class T>
  void add(const std::vector<T>& values) {
    add(std::uint64_t{values.size()});
    for (const auto& value : values) add(value);
  }
  std::string hexadecimal() const {
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[state_ >> shift & 0xf];
    return text;
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

void add_bond(Hash& hash, const ace::Bond& bond) {
  hash.add(int{bond.defined});
  if (!bond.defined) return;
  hash.add(static_cast<int>(bond.basis));  // not the name: SBessel has an alias
  hash.add(bond.radial_parameters);
  for (const int extent : {bond.n_max, bond.l_max, bond.k_max}) hash.add(extent);
  hash.add(bond.coefficients);
  hash.add(bond.r_cut);
  hash.add(bond.d_cut);
}

std::string hash_of(const ace::BPotential& potential, ActiveSetKind kind) {
  Hash hash;
  hash.add(potential.elements);
  for (const auto& bond : potential.bonds) add_bond(hash, bond);
  for (const auto& of_element : potential.functions) {
    hash.add(std::uint64_t{of_element.size()});
    for (const auto& function : of_element) {
      for (const auto* indices : {&function.mus, &function.ns, &function.ls, &function.lint}) hash.add(*indices);
      if (kind == ActiveSetKind::full) hash.add(function.coefficients);
    }
  }
  if (kind == ActiveSetKind::full)
    for (const auto& embedding : potential.embeddings) {
      hash.add(embedding.n_densities);
      hash.add(static_cast<int>(embedding.kind));
      hash.add(embedding.parameters);
    }
  return hash.hexadecimal();
}

}  // namespace

std::string active_set_note(const ace::BPotential& potential, ActiveSetKind kind) {
  return (kind == ActiveSetKind::full ? full_prefix : linear_prefix) + hash_of(potential, kind);
}

void check_active_set_note(const std::string& note, const ace::BPotential& potential, const std::string& source) {
  for (const auto kind : {ActiveSetKind::linear, ActiveSetKind::full}) {
    const auto& prefix = kind == ActiveSetKind::full ? full_prefix : linear_prefix;
    if (note.compare(0, prefix.size(), prefix) != 0) continue;
    require(note == active_set_note(potential, kind), source, ": was made for a potential with other ",
            kind == ActiveSetKind::full ? "coefficients, functions" : "functions", " or radial functions, although the numbers of "
            "functions agree: its grades would mean nothing. Take the .asi of this potential, or make one (polypace select)");
  }
}

}  // namespace polypace::formats
