// Whole files in and out.
#pragma once

#include <string>

namespace polypace::formats {

// Throws std::invalid_argument naming the file when it cannot be read.
std::string read_file(const std::string& path);

// Under a temporary name first, then renamed: a reader never sees half a file.
void write_file(const std::string& path, const std::string& content);

}  // namespace polypace::formats
