// Layout of `dump custom` files written to *.bin, as LAMMPS documents it by its tool binary2txt.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/errors.hpp"
#include "trajectory/dump_scan.hpp"
#include "trajectory/printable.hpp"

namespace polypace::trajectory {
namespace {

constexpr std::int32_t largest_string = 1 << 16;

// Reads plain values one after the other; `enough` turns false where the chunk ends.
class BinaryReader {
 public:
  BinaryReader(const char* begin, const char* end, std::uint64_t place) : p_(begin), end_(end), place_(place) {}

  template <class T>
  T take() {
    T value{};
    if (const char* from = skip(sizeof(T))) std::memcpy(&value, from, sizeof(T));
    return value;
  }
  std::string take_string(std::int64_t length) {
    require(length >= 0 && length < largest_string, "byte ", place_, ": not a binary dump of LAMMPS (a text of ", length,
            " bytes in the header)");
    const char* from = skip(static_cast<std::uint64_t>(length));
    return from == nullptr ? std::string() : printable({from, static_cast<std::size_t>(length)}, largest_string);
  }
  const char* skip(std::uint64_t n) {
    if (!enough_ || static_cast<std::uint64_t>(end_ - p_) < n) {
      enough_ = false;
      return nullptr;
    }
    const char* from = p_;
    p_ += n;
    return from;
  }
  bool enough() const { return enough_; }
  const char* position() const { return p_; }

 private:
  const char *p_, *end_;
  std::uint64_t place_;
  bool enough_ = true;
};

struct Layout {
  std::int32_t revision = 1;
  std::int32_t n_columns = 0;
};

void read_preamble(BinaryReader& reader, DumpFrame& frame, Layout& layout, std::uint64_t place) {
  frame.step = reader.take<std::int64_t>();
  if (frame.step >= 0) return;
  require(frame.step > -64, "byte ", place, ": not a binary dump of LAMMPS");
  const auto name = reader.take_string(-frame.step);
  const auto endian = reader.take<std::int32_t>();
  layout.revision = reader.take<std::int32_t>();
  frame.step = reader.take<std::int64_t>();
  require(!reader.enough() || name == "DUMPCUSTOM" || name == "DUMPATOM", "byte ", place,
          ": only binary dumps of style custom and atom can be read, got '", name, "'");
  require(!reader.enough() || endian == 1, "byte ", place, ": the dump was written on a machine of other byte order");
}

void read_binary_box(BinaryReader& reader, DumpFrame& frame, std::uint64_t place) {
  const auto triclinic = reader.take<std::int32_t>();
  for (int d = 0; d < 3; ++d) {
    frame.pbc[d] = reader.take<std::int32_t>() == 0;
    reader.take<std::int32_t>();
  }
  std::array<double, 6> bounds{};
  for (auto& bound : bounds) bound = reader.take<double>();
  std::array<double, 3> tilt{};
  if (triclinic == 2) {
    for (auto& entry : frame.cell) entry = reader.take<double>();
    for (auto& entry : frame.origin) entry = reader.take<double>();
    return;
  }
  require(triclinic == 0 || triclinic == 1, "byte ", place, ": not a binary dump of LAMMPS (triclinic flag ", triclinic,
          ")");
  if (triclinic == 1)
    for (auto& entry : tilt) entry = reader.take<double>();
  set_bounds(frame, bounds, tilt);
}

void read_names(BinaryReader& reader, DumpFrame& frame, const Layout& layout) {
  if (layout.revision < 2) return;
  frame.units = reader.take_string(reader.take<std::int32_t>());
  if (reader.take<char>() != 0) frame.time = reader.take<double>();
  frame.columns = reader.take_string(reader.take<std::int32_t>());
}

// One frame from its first byte on; false where the chunk does not hold all of it.
bool read_frame(BinaryReader& reader, DumpFrame& frame, const char* chunk, std::uint64_t offset, std::uint64_t place) {
  Layout layout;
  read_preamble(reader, frame, layout, place);
  frame.n_atoms = reader.take<std::int64_t>();
  read_binary_box(reader, frame, place);
  layout.n_columns = reader.take<std::int32_t>();
  read_names(reader, frame, layout);
  const auto n_pieces = reader.take<std::int32_t>();
  if (!reader.enough()) return false;
  const bool sane = frame.n_atoms >= 0 && frame.n_atoms < (std::int64_t{1} << 40);
  require(sane && layout.n_columns > 0 && n_pieces > 0, "byte ", place, ": not a binary dump of LAMMPS (", frame.n_atoms,
          " atoms, ", layout.n_columns, " columns, ", n_pieces, " pieces)");
  frame.data_begin = offset + static_cast<std::uint64_t>(reader.position() - chunk);
  std::int64_t n_values = 0;
  for (std::int32_t piece = 0; piece < n_pieces && reader.enough(); ++piece) {
    const auto n = reader.take<std::int32_t>();
    require(n >= 0, "byte ", place, ": a piece of step ", frame.step, " has ", n, " values");
    reader.skip(8 * static_cast<std::uint64_t>(n));
    n_values += n;
  }
  if (!reader.enough()) return false;
  require(n_values == frame.n_atoms * layout.n_columns, "byte ", place, ": step ", frame.step, " holds ", n_values,
          " values for ", frame.n_atoms, " atoms of ", layout.n_columns, " columns");
  frame.data_end = offset + static_cast<std::uint64_t>(reader.position() - chunk);
  return true;
}

}  // namespace

DumpScan scan_binary_dump(const char* chunk, std::size_t size, std::uint64_t offset, bool last) {
  DumpScan scan;
  const char* const end = chunk + size;
  while (scan.consumed < size) {
    const auto place = offset + scan.consumed;
    BinaryReader reader(chunk + scan.consumed, end, place);
    DumpFrame frame;
    if (!read_frame(reader, frame, chunk, offset, place)) {
      if (last) {
        scan.truncated_steps.push_back(frame.step);
        scan.truncated_places.push_back(place);
        scan.consumed = size;
      }
      return scan;
    }
    scan.frames.push_back(std::move(frame));
    scan.consumed = static_cast<std::uint64_t>(reader.position() - chunk);
  }
  return scan;
}

}  // namespace polypace::trajectory
