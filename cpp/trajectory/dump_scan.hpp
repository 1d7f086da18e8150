// Where the frames of a LAMMPS dump lie: headers and extents, found in chunks of bytes that the caller reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace polypace::trajectory {

struct DumpFrame {
  std::int64_t step = 0;
  std::int64_t n_atoms = 0;
  double time = std::numeric_limits<double>::quiet_NaN();  // dump_modify time yes, in the units of the dump
  std::array<double, 9> cell{};                             // rows are cell vectors, length units of the dump
  std::array<double, 3> origin{};
  std::array<bool, 3> pbc{};
  std::string units;    // dump_modify units yes, else empty
  std::string columns;  // "id type x y z"
  std::uint64_t data_begin = 0, data_end = 0;  // bytes of the atoms, relative to the start of the file
  std::uint64_t first_line = 0;                // text: 1-based line of the first atom
};

// Sets cell and origin from the bounding box (xlo xhi ylo yhi zlo zhi) and the tilts (xy xz yz) of a dump's header.
void set_bounds(DumpFrame& frame, const std::array<double, 6>& bounds, const std::array<double, 3>& tilt);

// What one chunk holds. `consumed` bytes (and `lines`) are done with; the caller gives the rest again with more behind
// it. `truncated` lists steps of frames that break off (a killed run), with the line or byte where they begin.
struct DumpScan {
  std::vector<DumpFrame> frames;
  std::vector<std::int64_t> truncated_steps;
  std::vector<std::uint64_t> truncated_places;
  std::uint64_t consumed = 0;
  std::uint64_t lines = 0;
};

// The chunk starts `offset` bytes (and `line` lines) after the start of the file; `last`: nothing follows it.
DumpScan scan_text_dump(const char* chunk, std::size_t size, std::uint64_t offset, std::uint64_t line, bool last);
DumpScan scan_binary_dump(const char* chunk, std::size_t size, std::uint64_t offset, bool last);

}  // namespace polypace::trajectory
