// One `nbody` entry of a .yaml potential.
#pragma once

#include <vector>

#include "ace/potential.hpp"
#include "formats/yaml_tree.hpp"

namespace polypace::formats {

// nr, nl, lint and c, checked against the bonds of the centre and against the triangle rules of the coupling.
ace::BasisFunction read_function_entry(const Field& field, const ace::PotentialHeader& header, int mu0, std::vector<int> mus);

}  // namespace polypace::formats
