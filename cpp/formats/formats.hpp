// Potential and active-set files. Every function throws std::invalid_argument naming file, line and key.
//
// `parse_*`/`format_*` work on the content, `read_*`/`write_*` on files; writing is atomic (temporary name, rename).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ace/evaluator.hpp"
#include "ace/potential.hpp"

namespace polypace::formats {

// Where a .yaml file keeps the potential's e0; pacemaker ignores it.
inline const std::string e0_metadata_key = "polypace_e0";

// One matrix of an .asi file: n × n, row-major.
struct SquareMatrix {
  std::size_t n = 0;
  std::vector<double> values;
};

// .yaml: the B-basis as pacemaker writes it. Functions come back in canonical order.
ace::BPotential read_yaml(const std::string& path);
ace::BPotential parse_yaml(const std::string& text, const std::string& source);

// .asi: inverse active sets, one per element (an uncompressed .npz archive).
ace::ActiveSet read_asi(const std::string& path, const std::vector<std::string>& elements);
std::map<std::string, SquareMatrix> read_asi_matrices(const std::string& path);
std::map<std::string, SquareMatrix> parse_asi(const std::string& bytes, const std::string& source);

}  // namespace polypace::formats
