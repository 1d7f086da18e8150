// The core reports wrong input as std::invalid_argument and failed numerics as NumericalError; the clients
// (bindings, LAMMPS plugin) translate both. Never return codes, never abort.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace polypace {

class NumericalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {
template <class... Parts>
std::string concatenate(const Parts&... parts) {
  std::ostringstream text;
  text.precision(17);
  (text << ... << parts);
  return text.str();
}
}  // namespace detail

// require(ok, "cutoff must be positive, got ", cutoff): the message names the argument, its value and the remedy.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) throw std::invalid_argument(detail::concatenate(parts...));
}

template <class... Parts>
void require_numerics(bool condition, const Parts&... parts) {
  if (!condition) throw NumericalError(detail::concatenate(parts...));
}

}  // namespace polypace
