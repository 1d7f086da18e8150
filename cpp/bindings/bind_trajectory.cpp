#include <pybind11/stl.h>

#include <algorithm>
#include <limits>

#include "base/threads.hpp"
#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"
#include "trajectory/dump_rows.hpp"
#include "trajectory/dump_scan.hpp"
#include "trajectory/extxyz_rows.hpp"

namespace polypace::bindings {
namespace {

using trajectory::DumpFrame;
using trajectory::DumpScan;

struct Bytes {
  const char* data;
  std::size_t size;
};

Bytes bytes_of(const py::buffer& buffer) {
  const auto info = buffer.request();
  require(info.ndim == 1 && info.itemsize == 1 && (info.size == 0 || info.strides[0] == 1),
          "the chunk must be contiguous bytes");
  return {static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size)};
}

template <class T, class Get>
py::array_t<T> collect(const std::vector<DumpFrame>& frames, std::size_t width, Get get) {
  std::vector<T> values;
  values.reserve(frames.size() * width);
  for (const auto& frame : frames) get(frame, values);
  std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(frames.size())};
  if (width > 1) shape.push_back(static_cast<py::ssize_t>(width));
  return to_numpy(std::move(values), std::move(shape));
}

py::dict scan_to_dict(const DumpScan& scan) {
  const auto& frames = scan.frames;
  using std::int64_t;
  using std::uint64_t;
  py::dict out;
  out["steps"] = collect<int64_t>(frames, 1, [](const auto& f, auto& v) { v.push_back(f.step); });
  out["n_atoms"] = collect<int64_t>(frames, 1, [](const auto& f, auto& v) { v.push_back(f.n_atoms); });
  out["times"] = collect<double>(frames, 1, [](const auto& f, auto& v) { v.push_back(f.time); });
  out["cells"] = collect<double>(frames, 9, [](const auto& f, auto& v) { v.insert(v.end(), f.cell.begin(), f.cell.end()); });
  out["origins"] =
      collect<double>(frames, 3, [](const auto& f, auto& v) { v.insert(v.end(), f.origin.begin(), f.origin.end()); });
  out["begins"] = collect<uint64_t>(frames, 1, [](const auto& f, auto& v) { v.push_back(f.data_begin); });
  out["ends"] = collect<uint64_t>(frames, 1, [](const auto& f, auto& v) { v.push_back(f.data_end); });
  out["first_lines"] = collect<uint64_t>(frames, 1, [](const auto& f, auto& v) { v.push_back(f.first_line); });
  // Headers repeat: only the places where they change are handed over, as (frame, pbc, units, columns).
  py::list headers;
  for (std::size_t k = 0; k < frames.size(); ++k) {
    const auto& f = frames[k];
    if (k > 0 && f.columns == frames[k - 1].columns && f.units == frames[k - 1].units && f.pbc == frames[k - 1].pbc)
      continue;
    headers.append(py::make_tuple(k, f.pbc, f.units, f.columns));
  }
  out["headers"] = headers;
  out["truncated_steps"] = scan.truncated_steps;
  out["truncated_places"] = scan.truncated_places;
  out["consumed"] = scan.consumed;
  out["lines"] = scan.lines;
  return out;
}

py::dict scan_text(const py::buffer& chunk, std::uint64_t offset, std::uint64_t line, bool last) {
  const auto bytes = bytes_of(chunk);
  DumpScan scan;
  {
    py::gil_scoped_release release;
    scan = trajectory::scan_text_dump(bytes.data, bytes.size, offset, line, last);
  }
  return scan_to_dict(scan);
}

py::dict scan_binary(const py::buffer& chunk, std::uint64_t offset, bool last) {
  const auto bytes = bytes_of(chunk);
  DumpScan scan;
  {
    py::gil_scoped_release release;
    scan = trajectory::scan_binary_dump(bytes.data, bytes.size, offset, last);
  }
  return scan_to_dict(scan);
}


// Reads a block of frames into `positions` and `images`; returns None, or (frame of the block, what is wrong with it).
py::object read_rows(const py::buffer& chunk, const Array<std::uint64_t>& bounds, const Array<std::uint64_t>& first_lines,
                     std::size_t n_atoms, const std::vector<int>& slots, bool scaled, double length_unit,
                     const Array<std::int32_t>& rows, const Array<double>& cells, const Array<double>& origins,
                     Array<double> positions, Array<std::int32_t> images, bool binary, int n_threads) {
  const auto bytes = bytes_of(chunk);
  const auto extent = view2(bounds, "bounds", 2);
  const std::size_t n_frames = extent.extent(0), n_rows = view3(positions, "positions").extent(1);
  const auto lines = view1(first_lines, "first_lines");
  const auto cell = view2(cells, "cells", 9), origin = view2(origins, "origins", 3);
  require(lines.extent(0) == n_frames && cell.extent(0) == n_frames && origin.extent(0) == n_frames &&
              view3(positions, "positions").extent(0) == n_frames && view3(positions, "positions").extent(2) == 3,
          "bounds, first_lines, cells, origins and positions must have one entry per frame");
  trajectory::RowLayout layout;
  layout.slots = slots;
  layout.scaled = scaled;
  layout.length_unit = length_unit;
  layout.rows = view1(rows, "rows");
  for (const int slot : slots) layout.has_images = layout.has_images || (slot >= 3 && slot < 6);
  require(!layout.has_images || images.size() == positions.size(), "images must have the shape of positions");
  double* const out = positions.mutable_data();
  std::int32_t* const flags = layout.has_images ? images.mutable_data() : nullptr;
  std::vector<std::string> failures(n_frames);
  {
    py::gil_scoped_release release;
    parallel_for(n_frames, n_threads, [&](std::size_t k, int) {
      require(extent(k, 0) <= extent(k, 1) && extent(k, 1) <= bytes.size, "bounds of frame ", k, " leave the chunk");
      trajectory::FrameRows frame;
      frame.begin = bytes.data + extent(k, 0);
      frame.end = bytes.data + extent(k, 1);
      frame.first_line = lines(k);
      frame.n_atoms = n_atoms;
      frame.n_rows = n_rows;
      std::copy(&cell(k, 0), &cell(k, 0) + 9, frame.cell.begin());
      std::copy(&origin(k, 0), &origin(k, 0) + 3, frame.origin.begin());
      frame.positions = out + k * n_rows * 3;
      frame.images = flags == nullptr ? nullptr : flags + k * n_rows * 3;
      try {
        binary ? trajectory::read_binary_rows(frame, layout) : trajectory::read_text_rows(frame, layout);
      } catch (const std::invalid_argument& error) {
        failures[k] = error.what();
      }
    });
  }
  for (std::size_t k = 0; k < n_frames; ++k)
    if (!failures[k].empty()) return py::make_tuple(k, failures[k]);
  return py::none();
}

// (reals, integers, [(words, numbers)]), or None where something is unusual.
py::object read_extxyz(const py::buffer& text, const std::string& kinds, std::size_t n_atoms) {
  const auto bytes = bytes_of(text);
  for (const char kind : kinds) require(kind == 'S' || kind == 'R' || kind == 'I', "kinds must be S, R or I, got ", kind);
  const auto columns = [&](char kind) { return static_cast<std::size_t>(std::count(kinds.begin(), kinds.end(), kind)); };
  require(n_atoms <= bytes.size, "the text has ", bytes.size, " bytes, too few for ", n_atoms, " atoms");
  py::array_t<double> reals({n_atoms, columns('R')});
  py::array_t<std::int32_t> integers({n_atoms, columns('I')});
  const View2<double> real_view(reals.mutable_data(), n_atoms, columns('R'));
  const View2<std::int32_t> integer_view(integers.mutable_data(), n_atoms, columns('I'));
  std::vector<trajectory::WordColumn> words;
  bool usual = false;
  {
    py::gil_scoped_release release;
    usual = trajectory::read_extxyz_rows({bytes.data, bytes.size}, kinds, real_view, integer_view, words);
  }
  if (!usual) return py::none();
  py::list columns_of_words;
  for (auto& column : words)
    columns_of_words.append(py::make_tuple(
        column.words, to_numpy(std::move(column.numbers), {static_cast<py::ssize_t>(n_atoms)})));
  return py::make_tuple(reals, integers, columns_of_words);
}

}  // namespace

void bind_trajectory(py::module_ m) {
  bind_unwrap(m);
  m.def("scan_text_dump", &scan_text, py::arg("chunk"), py::arg("offset"), py::arg("line"), py::arg("last"));
  m.def("scan_binary_dump", &scan_binary, py::arg("chunk"), py::arg("offset"), py::arg("last"));
  m.def("read_dump_rows", &read_rows, py::arg("chunk"), py::arg("bounds").noconvert(), py::arg("first_lines").noconvert(),
        py::arg("n_atoms"), py::arg("slots"), py::arg("scaled"), py::arg("length_unit"), py::arg("rows").noconvert(),
        py::arg("cells").noconvert(), py::arg("origins").noconvert(), py::arg("positions").noconvert(),
        py::arg("images").noconvert(), py::arg("binary"),
        py::arg("n_threads") = 0);
  m.def("read_extxyz_rows", &read_extxyz, py::arg("text"), py::arg("kinds"), py::arg("n_atoms"));
}

}  // namespace polypace::bindings
