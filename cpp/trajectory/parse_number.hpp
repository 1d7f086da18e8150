// Numbers out of text, independent of the locale and without copies.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace polypace::trajectory {

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
inline bool is_end_of_token(char c) { return is_blank(c) || c == '\n'; }
inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

inline const char* skip_blanks(const char* p, const char* end) {
  while (p < end && is_blank(*p)) ++p;
  return p;
}

inline const char* skip_token(const char* p, const char* end) {
  while (p < end && !is_end_of_token(*p)) ++p;
  return p;
}

inline double power_of_ten(int exponent) {
  static constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  return powers[exponent];
}

// Reads one floating point number at p (no leading blanks); nullptr where there is none. "nan" and "inf" are read.
inline const char* parse_double(const char* p, const char* end, double& value) {
  const char* const start = p;
  const bool negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) ++p;
  std::uint64_t mantissa = 0;
  const char* const first_digit = p;
  while (p < end && is_digit(*p)) mantissa = 10 * mantissa + static_cast<std::uint64_t>(*p++ - '0');
  auto n_digits = p - first_digit;
  int exponent = 0;
  if (p < end && *p == '.') {
    const char* const fraction = ++p;
    while (p < end && is_digit(*p)) mantissa = 10 * mantissa + static_cast<std::uint64_t>(*p++ - '0');
    exponent = static_cast<int>(fraction - p);
    n_digits += p - fraction;
  }
  bool plain = n_digits > 0 && n_digits <= 19;
  if (plain && p < end && (*p == 'e' || *p == 'E')) {
    int power = 0;
    const char* q = p + 1;
    if (q < end && *q == '+') ++q;
    const auto parsed = std::from_chars(q, end, power);
    plain = parsed.ec == std::errc() && power > -400 && power < 400;
    if (plain) {
      exponent += power;
      p = parsed.ptr;
    }
  }
  // A mantissa below 2⁵³ and a power of ten up to 10²² are exact doubles, so one operation rounds correctly (Clinger).
  if (plain && mantissa < (std::uint64_t{1} << 53) && exponent >= -22 && exponent <= 22) {
    const double magnitude = static_cast<double>(mantissa);
    const double scaled = exponent < 0 ? magnitude / power_of_ten(-exponent) : magnitude * power_of_ten(exponent);
    value = negative ? -scaled : scaled;
    return p;
  }
  const char* const unsigned_start = start < end && *start == '+' ? start + 1 : start;
  const auto parsed = std::from_chars(unsigned_start, end, value);
  if (parsed.ec == std::errc::result_out_of_range) {
    value = std::numeric_limits<double>::infinity();
    return parsed.ptr;
  }
  return parsed.ec == std::errc() ? parsed.ptr : nullptr;
}

inline const char* parse_integer(const char* p, const char* end, std::int64_t& value) {
  const auto parsed = std::from_chars(p < end && *p == '+' ? p + 1 : p, end, value);
  return parsed.ec == std::errc() ? parsed.ptr : nullptr;
}

}  // namespace polypace::trajectory
