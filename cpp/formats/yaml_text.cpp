#include "formats/yaml_text.hpp"

#include <charconv>
#include <locale>
#include <sstream>

#include "base/errors.hpp"

namespace polypace::formats {
namespace {

template <class Iterator, class ToText>
std::string joined(Iterator first, Iterator last, ToText to_text) {
  std::string text = "[";
  for (auto it = first; it != last; ++it) {
    if (it != first) text += ", ";
    text += to_text(*it);
  }
  return text + "]";
}

}  // namespace

std::string number_text(double value) {
#if defined(__cpp_lib_to_chars)
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
#else
  std::ostringstream stream;
  stream.imbue(std::locale::classic());
  stream.precision(17);
  stream << value;
  std::string text = stream.str();
#endif
  // YAML 1.1 readers (PyYAML) take 1e-05 for a string, 1.0e-05 for a number.
  const auto exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) text.insert(exponent, ".0");
  return text;
}

std::string quoted(const std::string& text) {
  bool is_plain = true;
  for (const unsigned char c : text) is_plain = is_plain && c >= 0x20 && c != 0x7f;
  const char quote = is_plain ? '\'' : '"';
  std::string result(1, quote);
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (is_plain) {
      result += c;
      if (c == quote) result += c;
    } else if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (code < 0x20 || code == 0x7f) {
      constexpr char digits[] = "0123456789ABCDEF";
      result += {'\\', 'x', digits[code >> 4], digits[code & 15]};
    } else {
      result += c;
    }
  }
  return result + quote;
}

std::string list_text(const std::vector<double>& values) { return joined(values.begin(), values.end(), number_text); }

std::string list_text(const std::vector<int>& values, int shift) {
  return joined(values.begin(), values.end(), [shift](int value) { return std::to_string(value + shift); });
}

std::string list_text(const std::vector<std::string>& values) {
  return joined(values.begin(), values.end(), [](const std::string& value) { return value; });
}

std::string nested_text(const std::vector<double>& flat, int n_n, int n_l, int n_k) {
  require(flat.size() == static_cast<std::size_t>(n_n) * n_l * n_k, "a bond has ", flat.size(), " radial coefficients, ", n_n, " × ",
          n_l, " × ", n_k, " are needed");
  std::string text = "[";
  for (int n = 0; n < n_n; ++n) {
    text += n == 0 ? "[" : ", [";
    for (int l = 0; l < n_l; ++l) {
      const auto first = flat.begin() + (static_cast<std::ptrdiff_t>(n) * n_l + l) * n_k;
      text += (l == 0 ? "" : ", ") + joined(first, first + n_k, number_text);
    }
    text += "]";
  }
  return text + "]";
}

}  // namespace polypace::formats
