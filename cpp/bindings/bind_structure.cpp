#include "bindings/bind.hpp"

namespace polypace::bindings {

void bind_structure(pybind11::module_) {}

}  // namespace polypace::bindings
