// Doubles on a cache-line boundary, as the kernels load them.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace polypace::ace {

template <class T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64})); }
  void deallocate(T* pointer, std::size_t) { ::operator delete(pointer, std::align_val_t{64}); }
  bool operator==(const CacheLineAllocator&) const { return true; }
  bool operator!=(const CacheLineAllocator&) const { return false; }
};

using AlignedVector = std::vector<double, CacheLineAllocator<double>>;

}  // namespace polypace::ace
