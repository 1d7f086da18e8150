// Non-owning views of contiguous row-major arrays: pointer plus extents (C++17 has no std::span).
#pragma once

#include <array>
#include <cstddef>

namespace polypace {

template <class T, std::size_t Rank>
class View {
 public:
  View() = default;
  template <class... Extents>
  explicit View(T* data, Extents... extents) : data_(data), extents_{static_cast<std::size_t>(extents)...} {
    static_assert(sizeof...(Extents) == Rank, "one extent per dimension");
  }

  template <class... Indices>
  T& operator()(Indices... indices) const {
    static_assert(sizeof...(Indices) == Rank, "one index per dimension");
    const std::size_t index[] = {static_cast<std::size_t>(indices)...};
    std::size_t offset = 0;
    for (std::size_t d = 0; d < Rank; ++d) offset = offset * extents_[d] + index[d];
    return data_[offset];
  }

  T* data() const { return data_; }
  std::size_t extent(std::size_t dimension) const { return extents_[dimension]; }
  std::size_t size() const {
    std::size_t product = 1;
    for (const auto extent : extents_) product *= extent;
    return product;
  }
  bool empty() const { return data_ == nullptr || size() == 0; }

 private:
  T* data_ = nullptr;
  std::array<std::size_t, Rank> extents_{};
};

template <class T> using View1 = View<T, 1>;
template <class T> using View2 = View<T, 2>;
template <class T> using View3 = View<T, 3>;

}  // namespace polypace
