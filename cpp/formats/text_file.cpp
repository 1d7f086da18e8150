#include "formats/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "base/errors.hpp"

namespace polypace::formats {

std::string read_file(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code failure;
  require(fs::exists(path, failure), path, ": the file does not exist");
  require(!fs::is_directory(path, failure), path, ": is a folder; name a file");
  std::ifstream file(path, std::ios::binary);
  require(file.is_open(), path, ": cannot be opened: ", std::strerror(errno));
  std::ostringstream content;
  content << file.rdbuf();
  require(!file.bad(), path, ": cannot be read: ", std::strerror(errno));
  return content.str();
}

void write_file(const std::string& path, const std::string& content) {
  namespace fs = std::filesystem;
  const fs::path temporary = path + ".tmp" + std::to_string(std::random_device{}());
  std::ofstream file(temporary, std::ios::binary);
  require(file.is_open(), path, ": cannot be written: ", std::strerror(errno));
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  std::error_code failure;
  if (file) fs::rename(temporary, path, failure);
  if (file && !failure) return;
  const std::string reason = failure ? failure.message() : std::strerror(errno);
  std::error_code ignored;
  fs::remove(temporary, ignored);
  require(false, path, ": cannot be written: ", reason);
}

}  // namespace polypace::formats
