// Any bytes are either an active set, which then survives writing and reading, or an std::invalid_argument.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "formats/formats.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace polypace;
  std::map<std::string, formats::SquareMatrix> matrices;
  try {
    matrices = formats::parse_asi(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  } catch (const std::invalid_argument&) {
    return 0;
  }
  const auto bytes = formats::format_asi(matrices);
  if (formats::format_asi(formats::parse_asi(bytes, "written")) != bytes) std::abort();
  return 0;
}
