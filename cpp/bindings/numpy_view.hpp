// Arrays of Python ↔ views of the core. Python's `polypace.arrays.as_array` makes them contiguous and of the right
// type; here only the extents are checked, so that a wrong shape is an error and never a misread.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/cell.hpp"
#include "base/errors.hpp"
#include "base/view.hpp"

namespace polypace::bindings {

namespace py = pybind11;

// c_style without forcecast: an array of another type or layout is a TypeError, not a silent copy.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
View1<const T> view1(const Array<T>& array, const std::string& name) {
  require(array.ndim() == 1, name, " must have 1 dimension, got ", array.ndim());
  return View1<const T>(array.data(), array.shape(0));
}

template <class T>
View2<const T> view2(const Array<T>& array, const std::string& name, py::ssize_t columns = -1) {
  require(array.ndim() == 2, name, " must have 2 dimensions, got ", array.ndim());
  require(columns < 0 || array.shape(1) == columns, name, " must have ", columns, " columns, got ", array.shape(1));
  return View2<const T>(array.data(), array.shape(0), array.shape(1));
}

template <class T>
View3<const T> view3(const Array<T>& array, const std::string& name) {
  require(array.ndim() == 3, name, " must have 3 dimensions, got ", array.ndim());
  return View3<const T>(array.data(), array.shape(0), array.shape(1), array.shape(2));
}

inline Cell cell_from(const Array<double>& rows, const std::array<bool, 3>& pbc) {
  const auto view = view2(rows, "cell", 3);
  require(view.extent(0) == 3, "cell must be 3 × 3, got ", view.extent(0), " rows");
  std::array<Vec3, 3> cell{};
  for (int i = 0; i < 3; ++i)
    for (int d = 0; d < 3; ++d) cell[i][d] = view(i, d);
  return Cell(cell, pbc);
}

// One cell per frame; frames without periodic directions may have none (all zero).
inline std::vector<Cell> cells_from(const Array<double>& cells, const std::array<bool, 3>& pbc) {
  const auto rows = view3(cells, "cells");
  require(rows.extent(1) == 3 && rows.extent(2) == 3, "cells must have shape (n_frames, 3, 3)");
  const bool open = !(pbc[0] || pbc[1] || pbc[2]);
  std::vector<Cell> out;
  out.reserve(rows.extent(0));
  for (std::size_t k = 0; k < rows.extent(0); ++k) {
    std::array<Vec3, 3> h{Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}};
    for (int i = 0; i < 3 && !open; ++i)
      for (int d = 0; d < 3; ++d) h[i][d] = rows(k, i, d);
    out.emplace_back(h, pbc);
  }
  return out;
}

// Hands a vector's memory to NumPy without copying it.
template <class T>
py::array_t<T> to_numpy(std::vector<T>&& values, std::vector<py::ssize_t> shape) {
  auto* owner = new std::vector<T>(std::move(values));
  py::capsule release(owner, [](void* pointer) { delete static_cast<std::vector<T>*>(pointer); });
  return py::array_t<T>(std::move(shape), owner->data(), release);
}

}  // namespace polypace::bindings
