#include "formats/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <sstream>
#include <unordered_set>

namespace polypace::formats {
namespace {

using Kind = YamlNode::Kind;

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& source) : source_(source) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, Kind::null, {}); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    const bool is_null = value.empty() ? false : value == "~" || value == "null";
    add(mark, anchor, is_null ? Kind::null : Kind::scalar, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, anchor, Kind::sequence);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, anchor, Kind::map);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override {
    refuse_repeated_keys(stack_.back());
    close();
  }
  // Aliases could blow a small file up to any size; potential files have no use for them.
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark); }

  YamlNode take() { return std::move(root_); }

 private:
  void add(const YAML::Mark& mark, YAML::anchor_t anchor, Kind kind, const std::string& text) {
    if (anchor != YAML::NullAnchor) refuse_anchor(mark);
    place({kind, mark.line + 1, text, {}});
  }
  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Kind kind) {
    if (anchor != YAML::NullAnchor) refuse_anchor(mark);
    stack_.push_back({kind, mark.line + 1, {}, {}});
  }
  void close() {
    auto node = std::move(stack_.back());
    stack_.pop_back();
    place(std::move(node));
  }
  void place(YamlNode node) {
    if (stack_.empty())
      root_ = std::move(node);
    else
      stack_.back().children.push_back(std::move(node));
  }
  void refuse_anchor(const YAML::Mark& mark) const {
    require(false, source_, ":", mark.line + 1, ": YAML anchors and aliases (& and *) are not supported; write the value out");
  }
  void refuse_repeated_keys(const YamlNode& map) const {
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < map.children.size(); i += 2) {
      const auto& key = map.children[i];
      if (key.kind == Kind::scalar)
        require(seen.insert(key.text).second, source_, ":", key.line, ": key ", key.text, " appears twice; keep one of them");
    }
  }

  const std::string& source_;
  std::vector<YamlNode> stack_;
  YamlNode root_;
};

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::null: return "nothing";
    case Kind::scalar: return "a single value";
    case Kind::sequence: return "a list";
    case Kind::map: return "a mapping";
  }
  return "";
}

// Long or multi-line garbage must not flood the message.
std::string shown(const std::string& text) {
  constexpr std::size_t longest = 60;
  return "'" + (text.size() <= longest ? text : text.substr(0, longest) + "…") + "'";
}

// Length of the UTF-8 sequence at `position`, 0 when there is none. Source: RFC 3629, section 4.
std::size_t utf8_length(const std::string& text, std::size_t position) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(position + i < text.size() ? text[position + i] : 0); };
  const auto lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  for (std::size_t i = 1; i < length; ++i)
    if (byte(i) >> 6 != 2) return 0;
  const bool is_overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool is_outside = (lead == 0xed && byte(1) >= 0xa0) || (lead == 0xf4 && byte(1) >= 0x90);
  return is_overlong || is_outside ? 0 : length;
}

// Other bytes would end up in messages that nobody can show.
void require_utf8(const std::string& text, const std::string& source) {
  int line = 1;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text, i);
    require(length > 0, source, ":", line, ": not a text file (invalid UTF-8)");
    line += text[i] == '\n';
    i += length;
  }
}

}  // namespace

YamlNode parse_yaml_tree(const std::string& text, const std::string& source) {
  require_utf8(text, source);
  TreeBuilder builder(source);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    require(parser.HandleNextDocument(builder), source, ": the file is empty");
  } catch (const YAML::Exception& error) {
    require(false, source, ":", error.mark.line + 1, ": not valid YAML: ", error.msg);
  }
  return builder.take();
}

std::string Field::place() const {
  return *source_ + ":" + std::to_string(node_->line) + (path_.empty() ? "" : ": " + path_);
}

const YamlNode& Field::expect(Kind kind, const char* what) const {
  check(node_->kind == kind, "must be ", what, ", got ",
        node_->kind == Kind::scalar ? shown(node_->text) : name_of(node_->kind));
  return *node_;
}

std::optional<Field> Field::find(const std::string& key) const {
  const auto& children = expect(Kind::map, "a mapping").children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2)
    if (children[i].kind == Kind::scalar && children[i].text == key && children[i + 1].kind != Kind::null)
      return Field(children[i + 1], source_, path_.empty() ? key : path_ + "." + key);
  return std::nullopt;
}

Field Field::at(const std::string& key) const {
  auto field = find(key);
  if (!field) fail("the key '", key, "' is missing");
  return *field;
}

std::vector<Field> Field::items() const {
  const auto& children = expect(Kind::sequence, "a list").children;
  std::vector<Field> fields;
  fields.reserve(children.size());
  for (std::size_t i = 0; i < children.size(); ++i)
    fields.push_back(Field(children[i], source_, path_ + "[" + std::to_string(i) + "]"));
  return fields;
}

std::vector<std::pair<Field, Field>> Field::entries() const {
  const auto& children = expect(Kind::map, "a mapping").children;
  std::vector<std::pair<Field, Field>> fields;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    const auto key = children[i].kind == Kind::scalar ? children[i].text : "key " + std::to_string(i / 2);
    const auto path = path_ + (path_.empty() ? "" : ".") + key;
    fields.emplace_back(Field(children[i], source_, path), Field(children[i + 1], source_, path));
  }
  return fields;
}

const std::string& Field::text() const { return expect(Kind::scalar, "a single value").text; }

std::vector<std::string> Field::texts() const {
  std::vector<std::string> values;
  for (const auto& child : expect(Kind::sequence, "a list").children) {
    check(child.kind == Kind::scalar, "must be a list of names, got ", name_of(child.kind));
    values.push_back(child.text);
  }
  return values;
}

bool Field::boolean() const {
  const auto& value = text();
  for (const char* word : {"true", "True", "TRUE", "yes", "Yes", "on", "y"})
    if (value == word) return true;
  for (const char* word : {"false", "False", "FALSE", "no", "No", "off", "n"})
    if (value == word) return false;
  fail("must be true or false, got ", shown(value));
}

int Field::integer(int least, int most) const {
  const auto value = to_integer(text());
  check(value && *value >= least && *value <= most, "must be an integer from ", least, " to ", most, ", got ", shown(text()));
  return *value;
}

std::vector<int> Field::integers(int least, int most) const {
  std::vector<int> values;
  for (const auto& child : expect(Kind::sequence, "a list of integers").children) {
    const auto value = child.kind == Kind::scalar ? to_integer(child.text) : std::nullopt;
    check(value && *value >= least && *value <= most, "entry ", values.size() + 1, " must be an integer from ", least, " to ", most,
          ", got ", child.kind == Kind::scalar ? shown(child.text) : name_of(child.kind));
    values.push_back(*value);
  }
  return values;
}

double Field::number() const {
  const auto value = to_number(text());
  check(value && std::isfinite(*value), "must be a finite number, got ", shown(text()));
  return *value;
}

double Field::number(double least, double most) const {
  const double value = number();
  check(value >= least && value <= most, "must be a number from ", least, " to ", most, ", got ", shown(text()));
  return value;
}

std::vector<double> Field::numbers() const {
  std::vector<double> values;
  for (const auto& child : expect(Kind::sequence, "a list of numbers").children) {
    const auto value = child.kind == Kind::scalar ? to_number(child.text) : std::nullopt;
    check(value && std::isfinite(*value), "entry ", values.size() + 1, " must be a finite number, got ",
          child.kind == Kind::scalar ? shown(child.text) : name_of(child.kind));
    values.push_back(*value);
  }
  return values;
}

std::optional<double> to_number(const std::string& text) {
  const char* first = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-' ? 1 : 0);
  const char* last = text.data() + text.size();
#if defined(__cpp_lib_to_chars)
  double value = 0;
  const auto [end, status] = std::from_chars(first, last, value);
  if (status != std::errc() || end != last) return std::nullopt;
  return value;
#else
  std::istringstream stream(std::string(first, last));
  stream.imbue(std::locale::classic());
  double value = 0;
  if (!(stream >> std::noskipws >> value) || stream.peek() != std::char_traits<char>::eof()) return std::nullopt;
  return value;
#endif
}

std::optional<int> to_integer(const std::string& text) {
  int value = 0;
  const char* first = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-' ? 1 : 0);
  const char* last = text.data() + text.size();
  const auto [end, status] = std::from_chars(first, last, value);
  if (status != std::errc() || end != last) return std::nullopt;
  return value;
}

}  // namespace polypace::formats
