#include "formats/formats.hpp"
#include "formats/text_file.hpp"
#include "formats/trees.hpp"

namespace polypace::formats {

AnyPotential parse_potential(const std::string& text, const std::string& source) {
  const auto tree = parse_yaml_tree(text, source);
  const Field root(tree, source);
  if (root.find("elements")) return yace_from_tree(root);
  root.check(root.find("species").has_value(),
             "is not a potential: neither `species` (.yaml) nor `elements` (.yace) is among its keys");
  return yaml_from_tree(root);
}

AnyPotential read_potential(const std::string& path) { return parse_potential(read_file(path), path); }

}  // namespace polypace::formats
