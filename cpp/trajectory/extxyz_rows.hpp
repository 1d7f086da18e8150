// The lines of atoms of one frame in extended XYZ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/view.hpp"

namespace polypace::trajectory {

// A column of words: the different ones, and which each atom has.
struct WordColumn {
  std::vector<std::string> words;
  std::vector<std::int32_t> numbers;
};

// Reads one line per row of `reals` (n × number of R columns) and `integers` (n × number of I columns). kinds: one of
// S, R, I per column. False where anything is unusual: other numbers of words, numbers that are not finite or beyond
// 32-bit integers, characters beyond ASCII; another reader can say then what it is.
bool read_extxyz_rows(std::string_view text, std::string_view kinds, View2<double> reals, View2<std::int32_t> integers,
                      std::vector<WordColumn>& words);

}  // namespace polypace::trajectory
