#include "bindings/bind.hpp"

namespace polypace::bindings {

void bind_carve(pybind11::module_) {}

}  // namespace polypace::bindings
