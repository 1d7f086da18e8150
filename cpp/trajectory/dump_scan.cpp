#include "trajectory/dump_scan.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "base/errors.hpp"
#include "trajectory/parse_number.hpp"
#include "trajectory/printable.hpp"

namespace polypace::trajectory {
namespace {

constexpr std::string_view frame_mark = "ITEM: TIMESTEP";

std::uint64_t count_lines(const char* begin, const char* end) {
  return static_cast<std::uint64_t>(std::count(begin, end, '\n'));
}

// First byte after n line ends, nullptr where there are fewer.
const char* after_lines(const char* p, const char* end, std::uint64_t n) {
  constexpr std::ptrdiff_t block = 4096;
  while (n > 0 && end - p >= block) {
    const auto here = count_lines(p, p + block);
    if (here >= n) break;
    n -= here;
    p += block;
  }
  for (; n > 0; --n) {
    p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    if (p == nullptr) return nullptr;
    ++p;
  }
  return p;
}

bool starts_with(std::string_view text, std::string_view head) { return text.substr(0, head.size()) == head; }

// A frame begins with ITEM: UNITS (once a run), ITEM: TIME (if asked for) or ITEM: TIMESTEP.
bool is_frame_begin(std::string_view text) {
  return starts_with(text, "ITEM: TIME") || starts_with(text, "ITEM: UNITS");
}

// Where the frame after the one that begins at `begin` begins; nullptr where none does.
const char* next_frame_begin(const char* begin, const char* end) {
  const std::string_view text(begin, static_cast<std::size_t>(end - begin));
  auto at = text.find(frame_mark);
  while (at != std::string_view::npos && (at = text.find("ITEM: ", at + 1)) != std::string_view::npos)
    if (is_frame_begin(text.substr(at))) return begin + at;
  return nullptr;
}

// Lines of a header, each known by its number for error messages.
class HeaderReader {
 public:
  HeaderReader(const char* begin, const char* end, std::uint64_t line) : p_(begin), end_(end), line_(line) {}

  // False where the text ends before the line does.
  bool next() {
    const auto* stop = static_cast<const char*>(std::memchr(p_, '\n', static_cast<std::size_t>(end_ - p_)));
    if (stop == nullptr) return false;
    text_ = std::string_view(p_, static_cast<std::size_t>(stop - p_));
    while (!text_.empty() && is_blank(text_.back())) text_.remove_suffix(1);
    p_ = stop + 1;
    ++line_;
    return true;
  }

  // The line as `n` numbers.
  template <class Number, class Parse>
  void numbers(Number* values, int n, const char* what, Parse parse) const {
    const char *p = text_.data(), *end = text_.data() + text_.size();
    for (int i = 0; i < n; ++i) {
      p = skip_blanks(p, end);
      const char* after = p < end ? parse(p, end, values[i]) : nullptr;
      require(after != nullptr, "line ", line_, ": expected ", n, " numbers (", what, "), got '", printable(text_), "'");
      p = after;
    }
  }
  std::int64_t integer(const char* what) const {
    std::int64_t value = 0;
    numbers(&value, 1, what, parse_integer);
    return value;
  }

  std::string_view text() const { return text_; }
  const char* position() const { return p_; }
  std::uint64_t line() const { return line_; }

 private:
  const char *p_, *end_;
  std::uint64_t line_;  // number of the line in text_
  std::string_view text_;
};

std::array<bool, 3> boundary_flags(std::string_view text) {
  // "ITEM: BOX BOUNDS xy xz yz pp ff pp": the last three words; dumps older than 2009 have none and are periodic.
  std::array<bool, 3> pbc{true, true, true};
  for (int d = 2; d >= 0; --d) {
    const auto blank = text.find_last_of(' ');
    const auto word = text.substr(blank == std::string_view::npos ? 0 : blank + 1);
    if (word.size() != 2 || std::string_view("pfsm").find(word[0]) == std::string_view::npos || word == "xy") break;
    pbc[d] = word[0] == 'p';
    text = text.substr(0, blank);
  }
  return pbc;
}

bool read_box(HeaderReader& reader, DumpFrame& frame) {
  const auto title = reader.text();
  frame.pbc = boundary_flags(title);
  const bool general = title.find("abc origin") != std::string_view::npos;
  const bool tilted = title.find("xy xz yz") != std::string_view::npos;
  double rows[3][4] = {};
  for (auto& row : rows) {
    if (!reader.next()) return false;
    reader.numbers(row, general ? 4 : tilted ? 3 : 2, "box bounds", parse_double);
  }
  if (general) {
    for (int i = 0; i < 3; ++i) {
      for (int d = 0; d < 3; ++d) frame.cell[3 * i + d] = rows[i][d];
      frame.origin[i] = rows[i][3];
    }
    return true;
  }
  set_bounds(frame, {rows[0][0], rows[0][1], rows[1][0], rows[1][1], rows[2][0], rows[2][1]},
             {rows[0][2], rows[1][2], rows[2][2]});
  return true;
}

// Everything up to the first atom; false where the text ends before it.
bool read_header(HeaderReader& reader, DumpFrame& frame) {
  bool box = false, count = false;
  while (reader.next()) {
    const auto title = reader.text();
    if (starts_with(title, frame_mark)) {
      if (!reader.next()) return false;
      frame.step = reader.integer("step after ITEM: TIMESTEP");
    } else if (starts_with(title, "ITEM: UNITS") || starts_with(title, "ITEM: TIME")) {
      const bool units = title[6] == 'U';
      if (!reader.next()) return false;
      if (units) frame.units = printable(reader.text());
      else reader.numbers(&frame.time, 1, "time after ITEM: TIME", parse_double);
    } else if (starts_with(title, "ITEM: NUMBER OF ATOMS")) {
      if (!reader.next()) return false;
      frame.n_atoms = reader.integer("number of atoms");
      require(frame.n_atoms >= 0, "line ", reader.line(), ": the number of atoms must not be negative, got ",
              frame.n_atoms);
      count = true;
    } else if (starts_with(title, "ITEM: BOX BOUNDS")) {
      if (!read_box(reader, frame)) return false;
      box = true;
    } else if (starts_with(title, "ITEM: ATOMS")) {
      require(box && count, "line ", reader.line(), ": ITEM: ATOMS before ",
              box ? "ITEM: NUMBER OF ATOMS" : "ITEM: BOX BOUNDS");
      frame.columns = printable(title.substr(std::min<std::size_t>(title.size(), 12)), title.size());
      frame.first_line = reader.line() + 1;
      return true;
    } else {
      require(false, "line ", reader.line(), ": expected an ITEM of a LAMMPS dump of atoms, got '", printable(title), "'");
    }
  }
  return false;
}

class TextScanner {
 public:
  TextScanner(const char* chunk, std::size_t size, std::uint64_t offset, std::uint64_t line, bool last)
      : chunk_(chunk), end_(chunk + size), p_(chunk), offset_(offset), line_(line), last_(last) {}

  DumpScan scan() {
    while (find_begin() && take_frame()) {
    }
    return std::move(result_);
  }

 private:
  void done(const char* to) {
    result_.lines += count_lines(p_, to);
    result_.consumed = static_cast<std::uint64_t>(to - chunk_);
    p_ = to;
  }

  void drop(std::int64_t step, const char* to) {
    result_.truncated_steps.push_back(step);
    result_.truncated_places.push_back(line_ + result_.lines + 1);
    done(to);
  }

  std::string_view rest(const char* from) const { return {from, static_cast<std::size_t>(end_ - from)}; }

  // Steps over blank lines to the next frame; false where there is none, or not enough of it to see.
  bool find_begin() {
    const char* begin = p_;
    while (begin < end_ && is_end_of_token(*begin)) ++begin;
    if (begin != p_) done(begin);
    if (begin == end_ || (rest(begin).size() < frame_mark.size() && !last_)) return false;
    require(is_frame_begin(rest(begin)), "line ", line_ + result_.lines + 1,
            ": expected 'ITEM: TIMESTEP', got '", printable(rest(begin), 60), "'");
    return true;
  }

  // A frame is whole when its number of lines leads to the next frame or to the end.
  bool is_followed(const char* after) const {
    const auto text = rest(after);
    if (text.empty() || is_end_of_token(text[0]) || is_frame_begin(text)) return true;
    // The chunk may end within the mark.
    return starts_with("ITEM: TIMESTEP", text) || starts_with("ITEM: UNITS", text);
  }

  bool take_frame() {
    // A killed run leaves half a header or half a line, straight before the first frame of its restart.
    const char* const nearby_mark = next_frame_begin(p_, std::min(end_, p_ + 4096));
    HeaderReader reader(p_, end_, line_ + result_.lines);
    DumpFrame frame;
    bool whole = false;
    try {
      whole = read_header(reader, frame);
    } catch (const std::invalid_argument&) {
      if (nearby_mark == nullptr || reader.position() <= nearby_mark) throw;
      drop(frame.step, nearby_mark);
      return true;
    }
    const char* const after =
        whole ? after_lines(reader.position(), end_, static_cast<std::uint64_t>(frame.n_atoms)) : nullptr;
    if (after == nullptr || !is_followed(after)) return drop_broken_frame(frame, after);
    frame.data_begin = offset_ + static_cast<std::uint64_t>(reader.position() - chunk_);
    frame.data_end = offset_ + static_cast<std::uint64_t>(after - chunk_);
    result_.frames.push_back(std::move(frame));
    done(after);
    return true;
  }

  bool drop_broken_frame(const DumpFrame& frame, const char* after) {
    const char* const again = next_frame_begin(p_, end_);
    if (again != nullptr && (after == nullptr || again < after)) {
      drop(frame.step, again);
      return true;
    }
    require(after == nullptr, "line ", frame.first_line + static_cast<std::uint64_t>(frame.n_atoms),
            ": the frame of step ", frame.step, " has more lines than its ", frame.n_atoms, " atoms");
    if (last_) drop(frame.step, end_);
    return false;
  }

  const char *chunk_, *end_, *p_;
  std::uint64_t offset_, line_;
  bool last_;
  DumpScan result_;
};

}  // namespace

void set_bounds(DumpFrame& frame, const std::array<double, 6>& bounds, const std::array<double, 3>& tilt) {
  // A dump gives the bounding box of a tilted cell; the cell itself starts inside it (LAMMPS manual, "Howto triclinic").
  const double xy = tilt[0], xz = tilt[1], yz = tilt[2];
  const double x_low = bounds[0] - std::min({0.0, xy, xz, xy + xz}), x_high = bounds[1] - std::max({0.0, xy, xz, xy + xz});
  const double y_low = bounds[2] - std::min(0.0, yz), y_high = bounds[3] - std::max(0.0, yz);
  frame.origin = {x_low, y_low, bounds[4]};
  frame.cell = {x_high - x_low, 0, 0, xy, y_high - y_low, 0, xz, yz, bounds[5] - bounds[4]};
}

DumpScan scan_text_dump(const char* chunk, std::size_t size, std::uint64_t offset, std::uint64_t line, bool last) {
  return TextScanner(chunk, size, offset, line, last).scan();
}

}  // namespace polypace::trajectory
