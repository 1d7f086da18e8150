#include "bindings/bind.hpp"

namespace polypace::bindings {

void bind_select(pybind11::module_) {}

}  // namespace polypace::bindings
