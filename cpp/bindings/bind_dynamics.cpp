#include "bindings/bind.hpp"

namespace polypace::bindings {

void bind_dynamics(pybind11::module_) {}

}  // namespace polypace::bindings
