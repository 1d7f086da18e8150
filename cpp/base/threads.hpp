// Threads for independent tasks. Results must not depend on the number of threads: tasks write to disjoint places,
// and reductions over tasks are summed by the caller in task order.
#pragma once

#include <cstddef>
#include <functional>

namespace polypace {

// 0 means OMP_NUM_THREADS, else all cores this process may use; negative is an error.
int resolve_n_threads(int n_threads);

// Calls body(task, thread) for task = 0..n_tasks-1, threads taking tasks as they become free.
// The first exception thrown by a task stops the others and is thrown again here.
void parallel_for(std::size_t n_tasks, int n_threads, const std::function<void(std::size_t task, int thread)>& body);

}  // namespace polypace
