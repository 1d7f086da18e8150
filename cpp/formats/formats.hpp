// Potential and active-set files. Every function throws std::invalid_argument naming file, line and key.
//
// `parse_*`/`format_*` work on the content, `read_*`/`write_*` on files; writing is atomic (temporary name, rename).
#pragma once

#include <map>
#include <string>
#include <variant>
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

std::string format_yaml(const ace::BPotential& potential);
void write_yaml(const ace::BPotential& potential, const std::string& path);

// .yace: the C-tilde form. Written with the same number of densities for every element (zero padding), because LAMMPS
// reads it so; an undefined bond is an error.
ace::CTildePotential read_yace(const std::string& path);
ace::CTildePotential parse_yace(const std::string& text, const std::string& source);
std::string format_yace(const ace::CTildePotential& potential);
void write_yace(const ace::CTildePotential& potential, const std::string& path);

// Either form, told apart by the key `elements`, which only .yace has.
using AnyPotential = std::variant<ace::BPotential, ace::CTildePotential>;
AnyPotential read_potential(const std::string& path);
AnyPotential parse_potential(const std::string& text, const std::string& source);

// .asi: inverse active sets, one per element (an uncompressed .npz archive). `note` is the archive's comment, which other
// programs skip: fingerprint.hpp.
std::map<std::string, SquareMatrix> read_asi(const std::string& path, std::string* note = nullptr);
std::map<std::string, SquareMatrix> parse_asi(const std::string& bytes, const std::string& source, std::string* note = nullptr);
std::string format_asi(const std::map<std::string, SquareMatrix>& matrices, const std::string& note = "");
void write_asi(const std::map<std::string, SquareMatrix>& matrices, const std::string& path, const std::string& note = "");

}  // namespace polypace::formats
