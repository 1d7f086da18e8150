// Threads and memory that stay from one transform to the next: starting the ones and clearing the pages of the other
// costs as much as a pass of the transform.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/threads.hpp"

namespace polypace::dynamics {

// In large pages where the system has them: columns stride through all of it.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { release(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  // What it held before is lost where it has to grow.
  double* at_least(std::int64_t n_doubles);
  std::int64_t size() const { return size_; }

 private:
  void release();
  std::size_t alignment_ = 0;
  std::int64_t size_ = 0;
  double* data_ = nullptr;
};

class Crew {
 public:
  explicit Crew(int n_threads);

  ThreadTeam& team() { return team_; }

  // For whole batches, of all threads together; what it holds is of no meaning.
  double* work(std::int64_t n_doubles);

  // For each thread on its own: `n_doubles` from scratch + thread · n_doubles on.
  double* scratch(std::int64_t n_doubles) { return scratch_.at_least(n_threads_ * n_doubles); }

  // Pages are handed out, and cleared, when they are first written to, which takes its time. Tiles write to all pages at
  // once; so each is written to by one thread before: `clear` zeros it all, `claim` a value of each page.
  void clear(double* values, std::int64_t n);
  void claim(double* values, std::int64_t n);

 private:
  int n_threads_;
  ThreadTeam team_;
  Buffer work_, scratch_;
};

}  // namespace polypace::dynamics
