// Inverse active sets: one n × n matrix per element in an uncompressed .npz archive.
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/errors.hpp"
#include "formats/formats.hpp"
#include "formats/header_checks.hpp"
#include "formats/text_file.hpp"
#include "formats/zip.hpp"

namespace polypace::formats {
namespace {

const std::string magic = "\x93NUMPY";
const std::string suffix = ".npy";
// The reader in LAMMPS wants headers shorter than 256 bytes; NumPy pads the data to 64.
constexpr std::size_t alignment = 64;

// The text after `key` in the header's dict literal, without leading blanks.
std::string value_of(const std::string& header, const std::string& key, const std::string& where) {
  const auto place = header.find("'" + key + "'");
  require(place != std::string::npos, where, ": the .npy header has no ", key);
  auto start = header.find(':', place);
  require(start != std::string::npos, where, ": the .npy header is damaged");
  start = header.find_first_not_of(' ', start + 1);
  return start == std::string::npos ? "" : header.substr(start);
}

// "(12, 12)": two equal extents.
std::size_t square_extent(const std::string& shape, const std::string& where) {
  std::vector<std::size_t> extents;
  std::optional<std::size_t> digits;
  for (const char c : shape) {
    if (std::isdigit(static_cast<unsigned char>(c))) {
      digits = digits.value_or(0) * 10 + (c - '0');
      require(*digits <= 1000000, where, ": the matrix is too large");
      continue;
    }
    if (digits) extents.push_back(*digits);
    digits.reset();
    if (c == ')') break;
  }
  require(extents.size() == 2 && extents[0] == extents[1], where, ": must be a square matrix, its shape is ",
          shape.substr(0, shape.find(')') + 1));
  return extents[0];
}

struct NpyHeader {
  std::string text;
  std::size_t data_start;
};

NpyHeader npy_header(const std::string& bytes, const std::string& where) {
  require(bytes.size() >= 12 && bytes.compare(0, magic.size(), magic) == 0, where, ": is not a .npy array");
  const int major = bytes[6];
  require(major >= 1 && major <= 3, where, ": .npy version ", major, " is not supported");
  const std::size_t prefix = major == 1 ? 10 : 12;
  std::size_t length = 0;
  for (std::size_t i = 8; i < prefix; ++i) length |= std::size_t{static_cast<unsigned char>(bytes[i])} << (8 * (i - 8));
  require(length <= bytes.size() - prefix, where, ": the .npy header is truncated");
  return {bytes.substr(prefix, length), prefix + length};
}

double little_endian_double(const char* bytes) {
  std::uint64_t bits = 0;
  for (int i = 7; i >= 0; --i) bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

SquareMatrix parse_npy(const std::string& bytes, const std::string& where) {
  const auto [header, start] = npy_header(bytes, where);
  const auto type = value_of(header, "descr", where);
  require(type.rfind("'<f8'", 0) == 0, where, ": must hold 64-bit floats ('<f8'), got ", type.substr(0, type.find(',')));
  const bool is_transposed = value_of(header, "fortran_order", where).rfind("True", 0) == 0;
  SquareMatrix matrix;
  matrix.n = square_extent(value_of(header, "shape", where), where);
  const std::size_t size = matrix.n * matrix.n;
  require(bytes.size() - start == size * 8, where, ": ", matrix.n, " × ", matrix.n, " numbers need ", size * 8,
          " bytes, the file holds ", bytes.size() - start);
  matrix.values.resize(size);
  for (std::size_t i = 0; i < size; ++i) {
    const double value = little_endian_double(bytes.data() + start + 8 * i);
    require(std::isfinite(value), where, ": entry (", i / matrix.n, ", ", i % matrix.n, ") is not finite");
    matrix.values[is_transposed ? i % matrix.n * matrix.n + i / matrix.n : i] = value;
  }
  return matrix;
}

void append_little_endian(std::string& bytes, double value) {
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  char little[8];
  for (int i = 0; i < 8; ++i) little[i] = static_cast<char>(bits >> (8 * i) & 0xff);
  bytes.append(little, sizeof little);
}

std::string format_npy(const SquareMatrix& matrix, const std::string& symbol) {
  require(matrix.values.size() == matrix.n * matrix.n, symbol, ": ", matrix.values.size(), " numbers for a matrix of ", matrix.n,
          " × ", matrix.n);
  const auto n = std::to_string(matrix.n);
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + n + ", " + n + "), }";
  constexpr std::size_t prefix = 10;
  header.append(alignment - (prefix + header.size() + 1) % alignment, ' ');
  header += '\n';
  std::string bytes = magic + '\x01' + '\0';
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes.reserve(bytes.size() + 8 * matrix.values.size());
  for (const double value : matrix.values) {
    require(std::isfinite(value), symbol, ": the matrix holds a value that is not finite");
    append_little_endian(bytes, value);
  }
  return bytes;
}

}  // namespace

std::map<std::string, SquareMatrix> parse_asi(const std::string& bytes, const std::string& source, std::string* note) {
  std::map<std::string, SquareMatrix> matrices;
  for (const auto& member : read_stored_zip(bytes, source, note)) {
    auto symbol = member.name;
    if (symbol.size() > suffix.size() && symbol.compare(symbol.size() - suffix.size(), suffix.size(), suffix) == 0)
      symbol.resize(symbol.size() - suffix.size());
    require(is_element(symbol), source, ": '", member.name, "' is not named after a chemical symbol, as in Cu.npy");
    require(matrices.count(symbol) == 0, source, ": element ", symbol, " appears twice");
    matrices[symbol] = parse_npy(member.content, source + ": " + symbol);
  }
  require(!matrices.empty(), source, ": holds no matrix");
  return matrices;
}

std::map<std::string, SquareMatrix> read_asi(const std::string& path, std::string* note) {
  return parse_asi(read_file(path), path, note);
}

std::string format_asi(const std::map<std::string, SquareMatrix>& matrices, const std::string& note) {
  std::vector<ZipMember> members;
  for (const auto& [symbol, matrix] : matrices) members.push_back({symbol + suffix, format_npy(matrix, symbol)});
  return write_stored_zip(members, note);
}

void write_asi(const std::map<std::string, SquareMatrix>& matrices, const std::string& path, const std::string& note) {
  write_file(path, format_asi(matrices, note));
}

}  // namespace polypace::formats
