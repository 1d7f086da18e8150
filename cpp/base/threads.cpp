#include "base/threads.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

#include "base/errors.hpp"

namespace polypace {
namespace {

int available_cores() {
#ifdef __linux__
  // Containers and batch systems restrict a process to some cores; hardware_concurrency does not always know.
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

int resolve_n_threads(int n_threads) {
  require(n_threads >= 0, "n_threads must be 0 (all cores) or positive, got ", n_threads);
  if (n_threads > 0) return n_threads;
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    const int value = std::atoi(text);
    if (value > 0) return value;
  }
  return available_cores();
}

void parallel_for(std::size_t n_tasks, int n_threads, const std::function<void(std::size_t, int)>& body) {
  const int n = static_cast<int>(std::min<std::size_t>(resolve_n_threads(n_threads), n_tasks));
  if (n <= 1) {
    for (std::size_t task = 0; task < n_tasks; ++task) body(task, 0);
    return;
  }
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&](int thread) {
    try {
      for (std::size_t task; (task = next.fetch_add(1)) < n_tasks;) body(task, thread);
    } catch (...) {
      next.store(n_tasks);
      const std::lock_guard<std::mutex> lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (int thread = 1; thread < n; ++thread) threads.emplace_back(work, thread);
  work(0);
  for (auto& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace polypace
