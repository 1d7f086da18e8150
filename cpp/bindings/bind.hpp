#pragma once

#include <pybind11/pybind11.h>

namespace polypace::bindings {

void bind_neighbors(pybind11::module_ m);
void bind_ace(pybind11::module_ m);
void bind_formats(pybind11::module_ m);
void bind_select(pybind11::module_ m);
void bind_carve(pybind11::module_ m);
void bind_dynamics(pybind11::module_ m);
void bind_structure(pybind11::module_ m);
void bind_trajectory(pybind11::module_ m);
void bind_unwrap(pybind11::module_ m);

}  // namespace polypace::bindings
