#include "dynamics/spectrum.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <new>

#include "base/errors.hpp"
#include "base/threads.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace polypace::dynamics {
namespace {

constexpr std::int64_t default_work_bytes = 16 << 20;  // keeps both passes within a last-level cache
constexpr std::int64_t tasks_per_thread = 4;

// Memory for vectors, in large pages where the system has them: columns stride through all of it.
class WorkSpace {
 public:
  explicit WorkSpace(std::int64_t n_doubles)
      : alignment_{n_doubles * sizeof(double) >= huge_page ? huge_page : small_page},
        data_(static_cast<double*>(::operator new(n_doubles * sizeof(double), alignment_))) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (static_cast<std::size_t>(alignment_) == huge_page)
      madvise(data_, n_doubles * sizeof(double) / huge_page * huge_page, MADV_HUGEPAGE);
#endif
  }
  ~WorkSpace() { ::operator delete(data_, alignment_); }
  WorkSpace(const WorkSpace&) = delete;
  WorkSpace& operator=(const WorkSpace&) = delete;
  double* data() const { return data_; }

 private:
  static constexpr std::size_t small_page = 4096, huge_page = std::size_t{2} << 20;
  std::align_val_t alignment_;
  double* data_;
};

struct NamedKernels {
  const char* name;
  const Kernels* kernels;
};

std::vector<NamedKernels> usable_kernels() {
  std::vector<NamedKernels> usable{{"portable", &portable::kernels}};
#ifdef POLYPACE_DYNAMICS_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) usable.push_back({"avx2", &avx2::kernels});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    usable.push_back({"avx512", &avx512::kernels});
#endif
  return usable;
}

std::int64_t batch_bytes(const FftPlan& plan, int n_lanes) {
  return std::int64_t{16} * n_lanes * plan.n_rows() * (plan.n_columns() + 1);
}

// The widest kernels whose single batch fits; the narrowest ones where none does.
const Kernels& choose_kernels(const FftPlan& plan, const Settings& settings) {
  const auto usable = usable_kernels();
  if (settings.instruction_set != "auto") {
    for (const auto& named : usable)
      if (settings.instruction_set == named.name) return *named.kernels;
    require(false, "instruction_set must be auto or one that this processor has, got ", settings.instruction_set);
  }
  for (auto named = usable.rbegin(); named != usable.rend(); ++named)
    if (settings.work_bytes == 0 || batch_bytes(plan, named->kernels->n_lanes) <= settings.work_bytes)
      return *named->kernels;
  return *usable.front().kernels;
}

int batches_per_round(const FftPlan& plan, int n_lanes, const Settings& settings) {
  const std::int64_t bytes = settings.work_bytes == 0 ? default_work_bytes : settings.work_bytes;
  return static_cast<int>(std::clamp<std::int64_t>(bytes / batch_bytes(plan, n_lanes), 1, 4096));
}

void put_series(Batch& batch, int part, int lane, const Series& series, double weight) {
  batch.offset[part][lane] = series.offset;
  batch.center[part][lane] = series.center;
  batch.direction[part][lane] = series.direction;
  batch.weight[part][lane] = weight;
}

void put_mask(Batch& batch, int lane, int segment) {
  if (segment < 0) return;
  int slot = 0;
  while (slot < batch.n_slots && batch.segment[slot] != segment) ++slot;
  if (slot == batch.n_slots) batch.segment[batch.n_slots++] = segment;
  batch.mask[slot][lane] = 1;
}

// Two series of the same segments to a lane, in the order of segments; idle lanes repeat a series with weight 0.
std::vector<Batch> make_batches(const std::vector<Series>& series, int n_lanes) {
  std::map<std::array<int, segments_per_series>, std::vector<const Series*>> alike;
  for (const auto& one : series) alike[one.segments].push_back(&one);
  std::vector<Batch> batches;
  int lane = n_lanes;
  for (const auto& [segments, members] : alike)
    for (std::size_t i = 0; i < members.size(); i += 2) {
      if (lane == n_lanes) {
        batches.push_back(Batch{});
        for (int idle = 0; idle < n_lanes; ++idle)
          for (int part = 0; part < 2; ++part) put_series(batches.back(), part, idle, *members[i], 0);
        lane = 0;
      }
      const bool paired = i + 1 < members.size();
      put_series(batches.back(), 0, lane, *members[i], 1);
      put_series(batches.back(), 1, lane, *members[paired ? i + 1 : i], paired ? 1 : 0);
      for (const int segment : segments) put_mask(batches.back(), lane, segment);
      ++lane;
    }
  return batches;
}

void run_tasks(int n, int n_threads, const std::function<void(int begin, int end, int thread)>& body) {
  const std::int64_t n_tasks = std::min<std::int64_t>(n, tasks_per_thread * n_threads);
  parallel_for(n_tasks, n_threads, [&](std::size_t task, int thread) {
    const auto t = static_cast<std::int64_t>(task);
    body(static_cast<int>(t * n / n_tasks), static_cast<int>((t + 1) * n / n_tasks), thread);
  });
}

// By all threads, because the system hands out fresh memory page by page.
void clear(double* values, std::int64_t n, int n_threads) {
  constexpr std::int64_t piece = 1 << 18;
  parallel_for((n + piece - 1) / piece, n_threads, [&](std::size_t i, int) {
    const auto begin = static_cast<std::int64_t>(i) * piece;
    std::fill_n(values + begin, std::min(piece, n - begin), 0.0);
  });
}

// Doubles for each thread: columns of a tile, or the rows that make up whole vectors of lags.
std::int64_t scratch_size(const FftPlan& plan, const Kernels& kernels) {
  return std::int64_t{2} * kernels.n_lanes *
         std::max<std::int64_t>(columns_at_once * plan.n_rows(), kernels.n_lanes * plan.n_columns());
}

// Both passes of one round of batches, forward or back.
void run_round(Pass pass, const Kernels& kernels, bool forward, int n_threads, const WorkSpace& scratch) {
  const std::int64_t size = scratch_size(*pass.plan, kernels);
  for (pass.parity = 0; pass.parity < 2; ++pass.parity) {
    run_tasks(pass.plan->n_columns(), n_threads, [&](int begin, int end, int thread) {
      (forward ? kernels.columns : kernels.inverse_columns)(pass, begin, end, scratch.data() + thread * size);
    });
    run_tasks(pass.plan->n_rows(), n_threads, [&](int begin, int end, int thread) {
      (forward ? kernels.rows : kernels.inverse_rows)(pass, begin, end, scratch.data() + thread * size);
    });
  }
}

// Calls body(row, column) so that both orders of memory, by rows and by columns, are met in whole cache lines.
template <class Body>
void for_each_in_tiles(int n_rows, int n_columns, const Body& body) {
  constexpr int tile = 8;
  for (int first = 0; first < n_columns; first += tile)
    for (int row = 0; row < n_rows; ++row)
      for (int column = first; column < std::min(first + tile, n_columns); ++column) body(row, column);
}

// From the order of the passes to that of the bins; |X(k)|² and |X(L−k)|² are averaged, which parts the two series.
void add_in_order_of_bins(const FftPlan& plan, const double* spectrum, double* half_spectrum) {
  const std::int64_t half = plan.half_length(), n_rows = plan.n_rows(), stride = padded(plan.n_columns());
  for (int parity = 0; parity < 2; ++parity, spectrum += n_rows * stride)
    for_each_in_tiles(plan.n_rows(), plan.n_columns(), [&](std::int64_t frequency, int column) {
      const std::int64_t bin = 2 * (frequency + n_rows * plan.across().frequency()[column]) + parity;
      const double power = spectrum[plan.down().position()[frequency] * stride + column];
      const bool alone = bin == 0 || bin == half;
      half_spectrum[bin <= half ? bin : 2 * half - bin] += alone ? power : 0.5 * power;
    });
}

void add_in_order_of_frames(const FftPlan& plan, const double* by_column, double* squares) {
  const std::int64_t height = padded(plan.n_rows());
  for_each_in_tiles(plan.n_rows(), plan.n_columns(), [&](std::int64_t row, int column) {
    const std::int64_t frame = row * plan.n_columns() + column;
    if (frame < plan.n_frames()) squares[frame] += by_column[column * height + row];
  });
}

}  // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const auto& named : usable_kernels()) names.emplace_back(named.name);
  return names;
}

void add_power_spectra(const FftPlan& plan, const Source& source, const std::vector<Series>& series, int n_segments,
                       const Settings& settings, double* half_spectra, double* squares) {
  require(source.n_frames == plan.n_frames(), "the plan is for ", plan.n_frames(), " frames, got ", source.n_frames);
  const Kernels& kernels = choose_kernels(plan, settings);
  const int n_threads = resolve_n_threads(settings.n_threads);
  for (const auto& one : series)
    for (const int segment : one.segments)
      require(segment < n_segments, "segments must be below ", n_segments, ", got ", segment);
  const auto batches = make_batches(series, kernels.n_lanes);
  if (batches.empty()) return;
  const int n_batches = static_cast<int>(batches.size());
  const int round = std::min(n_batches, batches_per_round(plan, kernels.n_lanes, settings));
  const WorkSpace work(round * batch_bytes(plan, kernels.n_lanes) / 8);
  const WorkSpace scratch(n_threads * scratch_size(plan, kernels));
  const std::int64_t spectrum_size = 2 * plan.n_rows() * padded(plan.n_columns());
  const std::int64_t squares_size = plan.n_columns() * padded(plan.n_rows());
  const WorkSpace spectra(n_segments * spectrum_size), by_column(n_segments * squares_size);
  clear(spectra.data(), n_segments * spectrum_size, n_threads);
  clear(by_column.data(), n_segments * squares_size, n_threads);
  for (int first = 0; first < n_batches; first += round) {
    Pass pass{};
    pass.plan = &plan;
    pass.source = &source;
    pass.batches = batches.data() + first;
    pass.n_batches = std::min(round, n_batches - first);
    pass.work = work.data();
    pass.squares = by_column.data();
    pass.spectra = spectra.data();
    run_round(pass, kernels, true, n_threads, scratch);
  }
  parallel_for(n_segments, n_threads, [&](std::size_t segment, int) {
    add_in_order_of_bins(plan, spectra.data() + segment * spectrum_size,
                         half_spectra + segment * (plan.half_length() + 1));
    add_in_order_of_frames(plan, by_column.data() + segment * squares_size, squares + segment * plan.n_frames());
  });
}

void correlations_from_spectra(const FftPlan& plan, const double* half_spectra, int n_segments,
                               const Settings& settings, double* correlations) {
  const Kernels& kernels = choose_kernels(plan, settings);
  const int n_threads = resolve_n_threads(settings.n_threads);
  clear(correlations, n_segments * plan.n_frames(), n_threads);
  const int per_batch = 2 * kernels.n_lanes;
  const int round = std::min((n_segments + per_batch - 1) / per_batch,
                             batches_per_round(plan, kernels.n_lanes, settings));
  const WorkSpace work(round * batch_bytes(plan, kernels.n_lanes) / 8);
  const WorkSpace scratch(n_threads * scratch_size(plan, kernels));
  for (int first = 0; first < n_segments; first += round * per_batch) {
    Pass pass{};
    pass.plan = &plan;
    pass.n_series = std::min(round * per_batch, n_segments - first);
    pass.n_batches = (pass.n_series + per_batch - 1) / per_batch;
    pass.work = work.data();
    pass.half_spectra = half_spectra + first * (plan.half_length() + 1);
    pass.correlations = correlations + first * plan.n_frames();
    run_round(pass, kernels, false, n_threads, scratch);
  }
}

void displacement_sums(std::int64_t n_frames, int n_segments, const double* squares, int n_threads,
                       double* correlations) {
  parallel_for(n_segments, n_threads, [&](std::size_t segment, int) {
    const double* square = squares + segment * n_frames;
    double* sums = correlations + segment * n_frames;
    // Twice the sum of squares is up to n_frames times the displacement at short lags: sums in extended precision.
    long double ends = 0;
    for (std::int64_t n = 0; n < n_frames; ++n) ends += 2.0L * square[n];
    // Rounding in the strongest bins, which are the lowest, shifts all correlations alike; lag 0 tells by how much.
    const auto shift = static_cast<double>(2.0L * sums[0] - ends);
    sums[0] = 0;
    for (std::int64_t lag = 1; lag < n_frames; ++lag) {
      ends -= static_cast<long double>(square[lag - 1]) + square[n_frames - lag];
      const long double sum = ends - (2.0L * sums[lag] - shift);
      sums[lag] = sum > 0 ? static_cast<double>(sum) : 0.0;
    }
  });
}

}  // namespace polypace::dynamics
