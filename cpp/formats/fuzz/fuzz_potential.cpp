// Any text is either a potential, which then survives writing and reading, or an std::invalid_argument.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "ace/coupling.hpp"
#include "formats/formats.hpp"

namespace {

using namespace polypace;

// abort(), so that the fuzzer reports it: what was read must be readable again.
void require_stable(bool same) {
  if (!same) std::abort();
}

void check(const ace::BPotential& potential) {
  const auto text = formats::format_yaml(potential);
  require_stable(formats::format_yaml(formats::parse_yaml(text, "written")) == text);
}

void check(const ace::CTildePotential& potential) {
  const auto text = formats::format_yace(potential);
  require_stable(formats::format_yace(formats::parse_yace(text, "written")) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  formats::AnyPotential potential;
  try {
    potential = formats::parse_potential(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  } catch (const std::invalid_argument&) {
    return 0;
  }
  std::visit([](const auto& form) { check(form); }, potential);
  return 0;
}
