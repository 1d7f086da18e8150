// A YAML document as a tree with line numbers, and checked access to it: every error names file, line and key.
//
// Built from yaml-cpp's events rather than its Node: potentials hold hundreds of thousands of numbers, and errors need
// the line of each value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/errors.hpp"

namespace polypace::formats {

struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  int line = 0;                    // 1-based
  std::string text;                // of a scalar
  std::vector<YamlNode> children;  // of a sequence; of a map: key, value, key, value, …
};

// Throws std::invalid_argument naming `source` and the line. Anchors, aliases and repeated keys are refused.
YamlNode parse_yaml_tree(const std::string& text, const std::string& source);

// A node with the way to it. Valid as long as the tree and the source's name are.
class Field {
 public:
  Field(const YamlNode& root, const std::string& source) : node_(&root), source_(&source) {}

  Field at(const std::string& key) const;                   // must be there
  std::optional<Field> find(const std::string& key) const;  // may be missing (or null)
  std::vector<Field> items() const;                         // of a sequence
  std::vector<std::pair<Field, Field>> entries() const;     // of a map
  std::size_t size() const { return node_->children.size(); }
  bool is_sequence() const { return node_->kind == YamlNode::Kind::sequence; }
  bool is_null() const { return node_->kind == YamlNode::Kind::null; }
  bool is_scalar() const { return node_->kind == YamlNode::Kind::scalar; }

  std::string place() const;  // file:line: key
  const std::string& text() const;
  std::vector<std::string> texts() const;
  bool boolean() const;
  int integer(int least, int most) const;
  std::vector<int> integers(int least, int most) const;
  double number() const;  // finite
  double number(double least, double most) const;
  std::vector<double> numbers() const;

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw std::invalid_argument(detail::concatenate(place(), ": ", parts...));
  }
  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    if (!condition) fail(parts...);
  }

 private:
  Field(const YamlNode& node, const std::string* source, std::string path)
      : node_(&node), source_(source), path_(std::move(path)) {}
  const YamlNode& expect(YamlNode::Kind kind, const char* what) const;

  const YamlNode* node_;
  const std::string* source_;
  std::string path_;
};

// Locale-independent, correctly rounded; nothing where `text` is not a number from end to end.
std::optional<double> to_number(const std::string& text);
std::optional<int> to_integer(const std::string& text);

}  // namespace polypace::formats
