#include "dynamics/crew.hpp"

#include <algorithm>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace polypace::dynamics {
namespace {

constexpr std::size_t small_page = 4096, huge_page = std::size_t{2} << 20;

}  // namespace

double* Buffer::at_least(std::int64_t n_doubles) {
  if (n_doubles <= size_) return data_;
  release();
  const std::size_t bytes = n_doubles * sizeof(double);
  alignment_ = bytes >= huge_page ? huge_page : small_page;
  data_ = static_cast<double*>(::operator new(bytes, std::align_val_t{alignment_}));
  size_ = n_doubles;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (alignment_ == huge_page) madvise(data_, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
  return data_;
}

void Buffer::release() {
  if (data_) ::operator delete(data_, std::align_val_t{alignment_});
  data_ = nullptr;
  size_ = 0;
}

Crew::Crew(int n_threads) : n_threads_(resolve_n_threads(n_threads)), team_(n_threads_) {}

double* Crew::work(std::int64_t n_doubles) {
  const bool fresh = work_.size() < n_doubles;
  double* values = work_.at_least(n_doubles);
  if (fresh) claim(values, n_doubles);
  return values;
}

void Crew::claim(double* values, std::int64_t n) {
  constexpr std::int64_t piece = huge_page / sizeof(double), page = small_page / sizeof(double);
  team_.run_apart((n + piece - 1) / piece, [&](std::size_t i, int) {
    const std::int64_t begin = static_cast<std::int64_t>(i) * piece;
    for (std::int64_t k = begin; k < std::min(begin + piece, n); k += page)
      *static_cast<volatile double*>(values + k) = 0.0;
  });
}

void Crew::clear(double* values, std::int64_t n) {
  constexpr std::int64_t piece = 8192;
  team_.run_apart((n + piece - 1) / piece, [&](std::size_t i, int) {
    const std::int64_t begin = static_cast<std::int64_t>(i) * piece;
    std::fill(values + begin, values + std::min(begin + piece, n), 0.0);
  });
}

}  // namespace polypace::dynamics
