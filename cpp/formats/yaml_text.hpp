// Pieces of YAML text. Numbers are the shortest that read back to the same double, in every locale.
#pragma once

#include <string>
#include <vector>

namespace polypace::formats {

std::string number_text(double value);
std::string quoted(const std::string& text);

// "[1, 2, 3]"
std::string list_text(const std::vector<double>& values);
std::string list_text(const std::vector<int>& values, int shift = 0);
std::string list_text(const std::vector<std::string>& values);

// c[n][l][k] as nested lists; `flat` is row-major.
std::string nested_text(const std::vector<double>& flat, int n_n, int n_l, int n_k);

}  // namespace polypace::formats
