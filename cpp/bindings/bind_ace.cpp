#include "bindings/bind.hpp"

namespace polypace::bindings {

void bind_ace(pybind11::module_) {}

}  // namespace polypace::bindings
