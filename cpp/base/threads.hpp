// Threads for independent tasks. Results must not depend on the number of threads: tasks write to disjoint places,
// and reductions over tasks are summed by the caller in task order.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace polypace {

// 0 means OMP_NUM_THREADS, else all cores this process may use; negative is an error.
int resolve_n_threads(int n_threads);

// Threads that stay for one loop after another: starting them costs more than a short loop.
class ThreadTeam {
 public:
  explicit ThreadTeam(int n_threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  // Calls body(task, thread) for task = 0..n_tasks-1, threads taking tasks as they become free.
  // The first exception thrown by a task stops the others and is thrown again here.
  void run(std::size_t n_tasks, const std::function<void(std::size_t task, int thread)>& body);

  // The same for tasks whose neighbours write to the same lines or pages of memory: every thread has a run of
  // successive ones, and when it is through takes over from the ends of the others'.
  void run_apart(std::size_t n_tasks, const std::function<void(std::size_t task, int thread)>& body);

 private:
  // Tasks begin … end−1 of a thread's run that nobody has taken; both in one word, which changes at once.
  struct alignas(64) Run {
    std::atomic<std::uint64_t> left{0};
  };
  static bool take(Run& run, bool first, std::size_t& task);
  void follow(int thread);
  void take_tasks(int thread);

  const std::function<void(std::size_t, int)>* body_ = nullptr;
  std::size_t n_tasks_ = 0;
  std::atomic<std::size_t> next_{0};
  std::atomic<unsigned> loop_{0};
  std::atomic<std::size_t> at_work_{0};
  std::atomic<bool> finished_{false};
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable begun_, ended_;
  std::vector<std::thread> others_;
  std::unique_ptr<Run[]> runs_;
};

// One loop of a team of its own.
void parallel_for(std::size_t n_tasks, int n_threads, const std::function<void(std::size_t task, int thread)>& body);

}  // namespace polypace
