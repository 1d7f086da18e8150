// Text of a file for messages and names: damaged files hold bytes that no terminal and no Python string accepts.
#pragma once

#include <string>
#include <string_view>

namespace polypace::trajectory {

inline std::string printable(std::string_view text, std::size_t longest = 200) {
  std::string out(text.substr(0, longest));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

}  // namespace polypace::trajectory
