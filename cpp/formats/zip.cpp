#include "formats/zip.hpp"

#include <array>
#include <cstdint>

#include "base/errors.hpp"

namespace polypace::formats {
namespace {

constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50, end_signature = 0x06054b50;
constexpr std::size_t local_size = 30, central_size = 46, end_size = 22;
constexpr std::uint64_t in_zip64 = 0xffffffff;  // "the value is in the zip64 extra field"
constexpr std::uint64_t dos_date_1980 = 0x21;

// Four bytes at a time: table[k] is what a byte does that k more bytes follow.
std::uint32_t crc32(const std::string& content) {
  static const auto table = [] {
    std::array<std::array<std::uint32_t, 256>, 4> entries{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      entries[0][i] = i;
      for (int bit = 0; bit < 8; ++bit) entries[0][i] = (entries[0][i] >> 1) ^ (entries[0][i] & 1 ? 0xedb88320u : 0u);
    }
    for (int k = 1; k < 4; ++k)
      for (int i = 0; i < 256; ++i) entries[k][i] = (entries[k - 1][i] >> 8) ^ entries[0][entries[k - 1][i] & 0xff];
    return entries;
  }();
  const auto byte = [&](std::size_t place) { return std::uint32_t{static_cast<unsigned char>(content[place])}; };
  std::uint32_t crc = 0xffffffff;
  std::size_t i = 0;
  for (; i + 4 <= content.size(); i += 4) {
    crc ^= byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
    crc = table[3][crc & 0xff] ^ table[2][crc >> 8 & 0xff] ^ table[1][crc >> 16 & 0xff] ^ table[0][crc >> 24];
  }
  for (; i < content.size(); ++i) crc = table[0][(crc ^ byte(i)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

void append(std::string& bytes, std::uint64_t value, int n_bytes) {
  for (int i = 0; i < n_bytes; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

// Little-endian integers of an archive; reading past its end is an error, never a crash.
class ZipReader {
 public:
  ZipReader(const std::string& bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  std::vector<ZipMember> members() const {
    const auto end = find_end();
    const auto n_members = integer(end + 10, 2);
    auto position = integer(end + 16, 4);
    std::vector<ZipMember> result;
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; i < n_members; ++i) {
      check(integer(position, 4) == central_signature, "the zip directory is damaged");
      result.push_back(member(position, total));
      position += central_size + integer(position + 28, 2) + integer(position + 30, 2) + integer(position + 32, 2);
    }
    return result;
  }

  std::string comment() const {
    const auto end = find_end(), size = integer(end + 20, 2);
    check_range(end + end_size, size);
    return bytes_.substr(end + end_size, size);
  }

 private:
  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    require(condition, source_, ": ", parts...);
  }

  void check_range(std::uint64_t offset, std::uint64_t size) const {
    check(offset <= bytes_.size() && size <= bytes_.size() - offset, "the zip archive is truncated or damaged");
  }

  std::uint64_t integer(std::uint64_t offset, int n_bytes) const {
    check_range(offset, n_bytes);
    std::uint64_t value = 0;
    for (int i = 0; i < n_bytes; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes_[offset + i])} << (8 * i);
    return value;
  }

  // The record is the last thing in the file but for a comment of at most 65535 bytes.
  std::uint64_t find_end() const {
    check(bytes_.size() >= end_size, "is not a zip archive (an .asi file is an uncompressed .npz archive)");
    const std::uint64_t last = bytes_.size() - end_size, first = last > 0xffff ? last - 0xffff : 0;
    for (std::uint64_t offset = last + 1; offset-- > first;)
      if (integer(offset, 4) == end_signature) return offset;
    check(false, "is not a zip archive (an .asi file is an uncompressed .npz archive), or it is truncated");
    return 0;
  }

  ZipMember member(std::uint64_t central, std::uint64_t& total) const {
    const auto name_size = integer(central + 28, 2);
    check_range(central + central_size, name_size);
    ZipMember result{bytes_.substr(central + central_size, name_size), {}};
    for (const char c : result.name) check(c > ' ' && c < '\x7f', "the name of a zip member is damaged");
    check((integer(central + 8, 2) & 1) == 0, "member '", result.name, "' is encrypted");
    check(integer(central + 10, 2) == 0, "member '", result.name,
          "' is compressed; write the file with numpy.savez, not numpy.savez_compressed");
    auto size = integer(central + 24, 4), offset = integer(central + 42, 4);
    read_zip64(central, size, offset);
    check(integer(offset, 4) == local_signature, "the header of member '", result.name, "' is damaged");
    const auto start = offset + local_size + integer(offset + 26, 2) + integer(offset + 28, 2);
    check_range(start, size);
    // Overlapping members could multiply a small file; honest ones fit side by side.
    total += size;
    check(total <= bytes_.size(), "the zip archive is damaged: its members overlap");
    result.content = bytes_.substr(start, size);
    check(crc32(result.content) == integer(central + 16, 4), "member '", result.name, "' is damaged (its checksum is wrong)");
    return result;
  }

  // Fields of the extra record come in this order, each only where the ordinary field is full.
  void read_zip64(std::uint64_t central, std::uint64_t& size, std::uint64_t& offset) const {
    const bool size_moved = size == in_zip64, packed_moved = integer(central + 20, 4) == in_zip64, offset_moved = offset == in_zip64;
    if (!size_moved && !offset_moved) return;
    auto position = central + central_size + integer(central + 28, 2);
    const auto end = position + integer(central + 30, 2);
    while (position + 4 <= end && integer(position, 2) != 1) position += 4 + integer(position + 2, 2);
    check(position + 4 <= end, "the zip64 record is missing");
    position += 4;
    if (size_moved) size = integer(position, 8);
    if (offset_moved) offset = integer(position + 8 * (size_moved + packed_moved), 8);
  }

  const std::string& bytes_;
  const std::string& source_;
};

// Local and central headers share everything from the version to the name's length.
std::string common_header(const ZipMember& member) {
  std::string header;
  append(header, 20, 2);  // version 2.0
  append(header, 0, 2);
  append(header, 0, 2);  // stored
  append(header, 0, 2);
  append(header, dos_date_1980, 2);
  append(header, crc32(member.content), 4);
  append(header, member.content.size(), 4);
  append(header, member.content.size(), 4);
  append(header, member.name.size(), 2);
  return header;
}

}  // namespace

std::vector<ZipMember> read_stored_zip(const std::string& bytes, const std::string& source, std::string* comment) {
  const ZipReader reader(bytes, source);
  if (comment != nullptr) *comment = reader.comment();
  return reader.members();
}

std::string write_stored_zip(const std::vector<ZipMember>& members, const std::string& comment) {
  require(comment.size() <= 0xffff, "the comment of an archive ends at 65535 bytes, got ", comment.size());
  std::string archive, directory;
  std::size_t total = 0;
  for (const auto& member : members) total += member.content.size() + 1024;  // more than the headers of a member take
  archive.reserve(total);
  for (const auto& member : members) {
    require(archive.size() + member.content.size() < in_zip64, "an archive of ", archive.size() + member.content.size(),
            " bytes is too large: .asi files end at 4 GiB");
    const auto header = common_header(member);
    append(directory, central_signature, 4);
    append(directory, 20, 2);
    directory += header;
      append(directory, 0, 6);  // lengths of extra field and comment, disk
    append(directory, 0, 6);  // attributes
    append(directory, archive.size(), 4);
    directory += member.name;
    append(archive, local_signature, 4);
    archive += header;
    append(archive, 0, 2);  // length of extra field
    archive += member.name;
    archive += member.content;
  }
  const auto start = archive.size();
  archive += directory;
  append(archive, end_signature, 4);
  append(archive, 0, 4);
  append(archive, members.size(), 2);
  append(archive, members.size(), 2);
  append(archive, directory.size(), 4);
  append(archive, start, 4);
  append(archive, comment.size(), 2);
  return archive + comment;
}

}  // namespace polypace::formats
