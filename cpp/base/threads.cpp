#include "base/threads.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

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

// Watches for a millisecond or two before it sleeps: waking up takes longer than the end of most loops.
template <class Condition>
void await(std::mutex& mutex, std::condition_variable& change, const Condition& condition) {
  for (int look = 0; look < 5000; ++look) {
    if (condition()) return;
    std::this_thread::yield();
  }
  std::unique_lock<std::mutex> lock(mutex);
  change.wait(lock, condition);
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

ThreadTeam::ThreadTeam(int n_threads) {
  try {
    for (int thread = 1; thread < n_threads; ++thread) others_.emplace_back([this, thread] { follow(thread); });
  } catch (const std::system_error&) {
    // A limit of the machine: those that could be had share the work.
  }
  runs_ = std::make_unique<Run[]>(others_.size() + 1);
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    finished_ = true;
  }
  begun_.notify_all();
  for (auto& thread : others_) thread.join();
}

void ThreadTeam::run(std::size_t n_tasks, const std::function<void(std::size_t, int)>& body) {
  if (others_.empty() || n_tasks <= 1) {
    for (std::size_t task = 0; task < n_tasks; ++task) body(task, 0);
    return;
  }
  body_ = &body;
  n_tasks_ = n_tasks;
  next_ = 0;
  at_work_ = others_.size();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++loop_;
  }
  begun_.notify_all();
  take_tasks(0);
  await(mutex_, ended_, [this] { return at_work_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

bool ThreadTeam::take(Run& run, bool first, std::size_t& task) {
  std::uint64_t left = run.left.load(), rest = 0;
  do {
    const std::uint64_t begin = left >> 32, end = left & 0xffffffffu;
    if (begin >= end) return false;
    task = first ? begin : end - 1;
    rest = first ? left + (std::uint64_t{1} << 32) : left - 1;
  } while (!run.left.compare_exchange_weak(left, rest));
  return true;
}

void ThreadTeam::run_apart(std::size_t n_tasks, const std::function<void(std::size_t, int)>& body) {
  const std::size_t n_runs = others_.size() + 1;
  require(n_tasks <= 0xffffffffu, "at most 2^32 tasks can be shared");
  for (std::size_t i = 0; i < n_runs; ++i)
    runs_[i].left = std::uint64_t{i * n_tasks / n_runs} << 32 | std::uint64_t{(i + 1) * n_tasks / n_runs};
  run(n_tasks == 0 ? 0 : n_runs, [&](std::size_t own, int thread) {
    std::size_t task = 0;
    for (std::size_t i = 0; i < n_runs; ++i)
      while (take(runs_[(own + i) % n_runs], i == 0, task)) body(task, thread);
  });
}

void ThreadTeam::follow(int thread) {
  for (unsigned seen = 0;;) {
    await(mutex_, begun_, [&] { return finished_ || loop_ != seen; });
    if (finished_) return;
    seen = loop_;
    take_tasks(thread);
    if (--at_work_ == 0) {
      const std::lock_guard<std::mutex> lock(mutex_);
      ended_.notify_one();
    }
  }
}

void ThreadTeam::take_tasks(int thread) {
  try {
    for (std::size_t task; (task = next_.fetch_add(1)) < n_tasks_;) (*body_)(task, thread);
  } catch (...) {
    next_ = n_tasks_;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void parallel_for(std::size_t n_tasks, int n_threads, const std::function<void(std::size_t, int)>& body) {
  ThreadTeam(static_cast<int>(std::min<std::size_t>(resolve_n_threads(n_threads), n_tasks))).run(n_tasks, body);
}

}  // namespace polypace
