#include "trajectory/extxyz_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "trajectory/parse_number.hpp"

namespace polypace::trajectory {
namespace {

// A column with a word of its own for every atom would be searched through quadratically: ASE reads it.
constexpr std::size_t most_words = 500;

// Everything that Python's float() and int() read as well, in the same way.
bool begins_number(std::string_view word) {
  if (word.front() == '-' || word.front() == '+') word.remove_prefix(1);
  return !word.empty() && (is_digit(word.front()) || word.front() == '.');
}

bool read_real(std::string_view word, double& value) {
  const char* const end = word.data() + word.size();
  return begins_number(word) && parse_double(word.data(), end, value) == end && std::isfinite(value);
}

bool read_integer(std::string_view word, std::int32_t& value) {
  std::int64_t wide = 0;
  const char* const end = word.data() + word.size();
  if (!begins_number(word) || parse_integer(word.data(), end, wide) != end) return false;
  value = static_cast<std::int32_t>(wide);
  return value == wide;
}

bool read_word(std::string_view word, WordColumn& column) {
  if (!std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < 127; })) return false;
  auto& words = column.words;
  const auto last = column.numbers.empty() ? words.end() : words.begin() + column.numbers.back();
  const auto place = last != words.end() && *last == word ? last : std::find(words.begin(), words.end(), word);
  column.numbers.push_back(static_cast<std::int32_t>(place - words.begin()));
  if (place == words.end()) words.emplace_back(word);
  return words.size() <= most_words;
}

}  // namespace

bool read_extxyz_rows(std::string_view text, std::string_view kinds, View2<double> reals, View2<std::int32_t> integers,
                      std::vector<WordColumn>& words) {
  const char* p = text.data();
  const char* const end = p + text.size();
  const std::size_t n_atoms = reals.extent(0);
  words.resize(std::count(kinds.begin(), kinds.end(), 'S'));
  for (std::size_t atom = 0; atom < n_atoms; ++atom) {
    std::size_t real = 0, integer = 0, word = 0;
    for (const char kind : kinds) {
      p = skip_blanks(p, end);
      const char* const first = p;
      p = skip_token(p, end);
      const std::string_view token(first, p - first);
      if (token.empty()) return false;
      const bool understood = kind == 'R'   ? read_real(token, reals(atom, real++))
                              : kind == 'I' ? read_integer(token, integers(atom, integer++))
                                            : read_word(token, words[word++]);
      if (!understood) return false;
    }
    p = skip_blanks(p, end);
    if (p < end && *p++ != '\n') return false;
  }
  return p == end;
}

}  // namespace polypace::trajectory
