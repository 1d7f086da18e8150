// The atoms of one frame of a LAMMPS dump → positions and image flags in the order of the atoms' ids.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/view.hpp"

namespace polypace::trajectory {

// Which column holds what. Slots 0–2: coordinates, 3–5: image flags.
struct RowLayout {
  static constexpr int skipped = -1;
  static constexpr int identifier = 6;
  std::vector<int> slots;    // per column of the file: slot, `identifier` or `skipped`
  bool has_images = false;
  bool scaled = false;       // coordinates are fractions of the box
  double length_unit = 1;    // Å per length unit of the dump
  // id → row of the output; `unwanted` for atoms that are in the file but not asked for, `unknown` for any other id.
  // Without an id column atoms come in the order of the file and row = table[line].
  static constexpr std::int32_t unwanted = -1;
  static constexpr std::int32_t unknown = -2;
  View1<const std::int32_t> rows;
};

// One frame: its bytes, where they come from, and where they go.
struct FrameRows {
  const char* begin = nullptr;
  const char* end = nullptr;
  std::uint64_t first_line = 0;  // text only, for messages
  std::size_t n_atoms = 0;
  std::array<double, 9> cell{};  // Å, for scaled coordinates
  std::array<double, 3> origin{};
  double* positions = nullptr;      // (n_rows, 3)
  std::int32_t* images = nullptr;   // (n_rows, 3) where the layout has images
  std::size_t n_rows = 0;
};

// Throw std::invalid_argument naming the line (text) or atom (binary) for bad numbers, NaN, unknown, repeated or
// missing ids.
void read_text_rows(const FrameRows& frame, const RowLayout& layout);
void read_binary_rows(const FrameRows& frame, const RowLayout& layout);

}  // namespace polypace::trajectory
