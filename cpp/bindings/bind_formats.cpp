#include "bindings/bind.hpp"

namespace polypace::bindings {

void bind_formats(pybind11::module_) {}

}  // namespace polypace::bindings
