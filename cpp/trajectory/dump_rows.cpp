#include "trajectory/dump_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/errors.hpp"
#include "trajectory/parse_number.hpp"
#include "trajectory/printable.hpp"

namespace polypace::trajectory {
namespace {

// A row that nothing was written to: what a missing atom leaves behind.
constexpr double unset = std::numeric_limits<double>::quiet_NaN();

std::string place_of(const FrameRows& frame, std::size_t k, bool text) {
  return text ? "line " + std::to_string(frame.first_line + k) : "atom " + std::to_string(k + 1) + " of the frame";
}

class RowWriter {
 public:
  RowWriter(const FrameRows& frame, const RowLayout& layout, bool text) : frame_(frame), layout_(layout), text_(text) {
    std::fill(frame.positions, frame.positions + 3 * frame.n_rows, unset);
  }

  // Row of the output for atom k of the file.
  std::int32_t row_of(std::int64_t id, std::size_t k) const {
    const bool known = id >= 0 && static_cast<std::size_t>(id) < layout_.rows.extent(0);
    const auto row = known ? layout_.rows.data()[id] : RowLayout::unknown;
    if (row == RowLayout::unknown) fail(k, ": atom id ", id, " is not among the atoms of the first frame");
    return row;
  }

  void write(std::int32_t row, const double* values, std::size_t k) const {
    if (!(std::isfinite(values[0]) && std::isfinite(values[1]) && std::isfinite(values[2])))
      fail(k, ": a coordinate is not finite (the run may have blown up)");
    double* r = frame_.positions + 3 * static_cast<std::size_t>(row);
    if (!std::isnan(r[0])) fail(k, ": an atom appears twice in the frame");
    for (int d = 0; d < 3; ++d) r[d] = layout_.length_unit * values[d];
    if (layout_.scaled) {
      for (int d = 0; d < 3; ++d)
        r[d] = frame_.origin[d] + values[0] * frame_.cell[d] + values[1] * frame_.cell[3 + d] +
               values[2] * frame_.cell[6 + d];
    }
    if (!layout_.has_images) return;
    std::int32_t* image = frame_.images + 3 * static_cast<std::size_t>(row);
    for (int d = 0; d < 3; ++d) {
      if (!(std::abs(values[3 + d]) < 1e9)) fail(k, ": an image flag is ", values[3 + d]);
      image[d] = static_cast<std::int32_t>(values[3 + d]);
    }
  }

  void check_complete() const {
    for (std::size_t row = 0; row < frame_.n_rows; ++row)
      require(!std::isnan(frame_.positions[3 * row]), "atom ", row,
              " (counted from 0 in the order of ids) of the first frame is missing");
  }

 private:
  // Out of line: the text is made only where it is needed, not for every row.
  template <class... Parts>
  [[noreturn, gnu::noinline]] void fail(std::size_t k, const Parts&... parts) const {
    throw std::invalid_argument(detail::concatenate(place_of(frame_, k, text_), parts...));
  }

  const FrameRows& frame_;
  const RowLayout& layout_;
  bool text_;
};

[[noreturn]] void fail_column(const FrameRows& frame, std::size_t k, std::size_t column, const char* p) {
  const char* const stop = skip_token(p, frame.end);
  throw std::invalid_argument(detail::concatenate("line ", frame.first_line + k, ": column ", column + 1,
                                                  " should be a number, got '",
                                                  printable({p, static_cast<std::size_t>(stop - p)}), "'"));
}

}  // namespace

void read_text_rows(const FrameRows& frame, const RowLayout& layout) {
  const RowWriter writer(frame, layout, true);
  const std::size_t n_columns = layout.slots.size();
  const bool has_id = std::find(layout.slots.begin(), layout.slots.end(), RowLayout::identifier) != layout.slots.end();
  // Nothing behind the last wanted column is looked at.
  std::size_t n_read = n_columns;
  while (n_read > 0 && layout.slots[n_read - 1] == RowLayout::skipped) --n_read;
  const char* p = frame.begin;
  for (std::size_t k = 0; k < frame.n_atoms; ++k) {
    double values[6] = {};
    std::int32_t row = has_id ? RowLayout::unknown : writer.row_of(static_cast<std::int64_t>(k), k);
    for (std::size_t column = 0; column < n_read; ++column) {
      p = skip_blanks(p, frame.end);
      const int slot = layout.slots[column];
      const char* after = nullptr;
      if (slot == RowLayout::skipped) {
        after = skip_token(p, frame.end);
      } else if (slot == RowLayout::identifier) {
        std::int64_t id = 0;
        after = parse_integer(p, frame.end, id);
        if (after != nullptr) row = writer.row_of(id, k);
      } else {
        after = parse_double(p, frame.end, values[slot]);
      }
      if (after == nullptr || after == p || (after < frame.end && !is_end_of_token(*after)))
        fail_column(frame, k, column, p);
      p = after;
      if (row == RowLayout::unwanted) break;
    }
    if (row >= 0) writer.write(row, values, k);
    p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(frame.end - p)));
    require(p != nullptr, "line ", frame.first_line + k, ": the frame ends after ", k, " of ", frame.n_atoms, " atoms");
    ++p;
  }
  writer.check_complete();
}

void read_binary_rows(const FrameRows& frame, const RowLayout& layout) {
  const RowWriter writer(frame, layout, false);
  const std::size_t n_columns = layout.slots.size();
  int id_column = -1;
  int columns[6] = {};
  for (std::size_t column = 0; column < n_columns; ++column) {
    if (layout.slots[column] == RowLayout::identifier) id_column = static_cast<int>(column);
    else if (layout.slots[column] >= 0) columns[layout.slots[column]] = static_cast<int>(column);
  }
  const int n_slots = layout.has_images ? 6 : 3;
  const char* p = frame.begin;
  std::size_t k = 0;
  while (k < frame.n_atoms) {
    std::int32_t n_values = 0;
    require(frame.end - p >= 4, "the frame ends after ", k, " of ", frame.n_atoms, " atoms");
    std::memcpy(&n_values, p, 4);
    p += 4;
    require(n_values >= 0 && static_cast<std::size_t>(n_values) % n_columns == 0 &&
                static_cast<std::size_t>(frame.end - p) >= 8 * static_cast<std::size_t>(n_values),
            "a piece of the frame has ", n_values, " values for ", n_columns, " columns");
    for (const char* const stop = p + 8 * static_cast<std::size_t>(n_values); p < stop; p += 8 * n_columns, ++k) {
      double id = static_cast<double>(k), values[6] = {};
      if (id_column >= 0) std::memcpy(&id, p + 8 * id_column, 8);
      require(id >= -9e15 && id <= 9e15, "atom ", k, " of the frame has the id ", id, ", which is not an integer");
      const auto row = writer.row_of(static_cast<std::int64_t>(id), k);
      if (row < 0) continue;
      for (int slot = 0; slot < n_slots; ++slot) std::memcpy(&values[slot], p + 8 * columns[slot], 8);
      writer.write(row, values, k);
    }
  }
  writer.check_complete();
}

}  // namespace polypace::trajectory
