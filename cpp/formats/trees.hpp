// Potentials out of parsed documents.
#pragma once

#include "ace/potential.hpp"
#include "formats/yaml_tree.hpp"

namespace polypace::formats {

ace::BPotential yaml_from_tree(const Field& root);
ace::CTildePotential yace_from_tree(const Field& root);

}  // namespace polypace::formats
