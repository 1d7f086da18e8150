// Uncompressed zip archives in memory: what .npz files without compression are.
// Source: PKWARE APPNOTE.TXT 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.5.3 (zip64).
#pragma once

#include <string>
#include <vector>

namespace polypace::formats {

struct ZipMember {
  std::string name;
  std::string content;
};

// Throws std::invalid_argument naming `source` when the archive is damaged or a member is compressed.
// `comment` receives the archive's comment.
std::vector<ZipMember> read_stored_zip(const std::string& bytes, const std::string& source, std::string* comment = nullptr);

// Fixed time stamps: the same members give the same bytes.
std::string write_stored_zip(const std::vector<ZipMember>& members, const std::string& comment = "");

}  // namespace polypace::formats
