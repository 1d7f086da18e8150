#include "dynamics/spectrum.hpp"

#include <algorithm>
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
constexpr std::size_t small_page = 4096, huge_page = std::size_t{2} << 20;

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

void put_series(Batch& batch, int part, int lane, const Series& series) {
  batch.offset[part][lane] = series.offset;
  batch.center[part][lane] = series.center;
  batch.direction[part][lane] = series.direction;
}

void put_members(Batch& batch, const std::map<int, std::vector<int>>& members_of) {
  for (const auto& [segment, members] : members_of) {
    batch.segment[batch.n_slots] = segment;
    std::copy(members.begin(), members.end(), batch.member + batch.first[batch.n_slots]);
    batch.first[batch.n_slots + 1] = batch.first[batch.n_slots] + static_cast<int>(members.size());
    ++batch.n_slots;
  }
}

// Series in their order, so that lanes follow one another in memory as the coordinates do. The last batch begins early
// enough to be full; what it repeats is member of nothing.
std::vector<Batch> make_batches(const std::vector<Series>& series, int n_lanes) {
  const int n = static_cast<int>(series.size()), per_batch = 2 * n_lanes;
  std::vector<Batch> batches;
  for (int first = 0; first < n; first += per_batch) {
    Batch batch{};
    batch.contiguous = true;
    std::map<int, std::vector<int>> members_of;
    const int begin = std::max(0, std::min(first, n - per_batch));
    for (int k = 0; k < per_batch; ++k) {
      const Series& one = series[std::min(begin + k, n - 1)];
      put_series(batch, k / n_lanes, k % n_lanes, one);
      batch.contiguous = batch.contiguous && one.offset == series[begin].offset + k;
      if (begin + k < first || begin + k >= n) continue;
      for (const int segment : one.segments)
        if (segment >= 0) members_of[segment].push_back(k);
    }
    put_members(batch, members_of);
    batches.push_back(batch);
  }
  return batches;
}

// Doubles for each thread: a tile of columns, or a row and its mirror image.
std::int64_t scratch_size(const FftPlan& plan, const Kernels& kernels) {
  return std::int64_t{2} * kernels.n_lanes *
         std::max<std::int64_t>(columns_at_once * (plan.n_rows() + 1), 2 * plan.n_columns());
}

// Threads and what each of them needs for its part of a pass.
struct Crew {
  Crew(const FftPlan& plan, const Kernels& kernels, int n_threads)
      : size(scratch_size(plan, kernels)), scratch(n_threads * size), team(n_threads) {}

  void run_columns(const Pass& pass, void (*columns)(const Pass&, int, int, double*)) {
    const int n_columns = pass.plan->n_columns();
    team.run((n_columns + columns_at_once - 1) / columns_at_once, [&](std::size_t tile, int thread) {
      const int begin = static_cast<int>(tile) * columns_at_once;
      columns(pass, begin, std::min(begin + columns_at_once, n_columns), scratch.data() + thread * size);
    });
  }

  void run_rows(const Pass& pass, int n_rows, void (*row)(const Pass&, int, double*)) {
    team.run(n_rows, [&](std::size_t f, int thread) {
      row(pass, static_cast<int>(f), scratch.data() + thread * size);
    });
  }

  // Fresh pages are cleared when they are first written to. Each by one thread: tiles touch all of them at once.
  void claim(double* values, std::int64_t n) {
    constexpr std::int64_t piece = huge_page / sizeof(double), page = small_page / sizeof(double);
    team.run((n + piece - 1) / piece, [&](std::size_t i, int) {
      const std::int64_t begin = static_cast<std::int64_t>(i) * piece;
      for (std::int64_t k = begin; k < std::min(begin + piece, n); k += page) {
        volatile double* value = values + k;
        *value = *value;
      }
    });
  }

  double* claim_work(WorkSpace& work, std::int64_t n_doubles) {
    const bool fresh = work.size() < n_doubles;
    double* values = work.at_least(n_doubles);
    if (fresh) claim(values, n_doubles);
    return values;
  }

  std::int64_t size;
  WorkSpace scratch;
  ThreadTeam team;
};

}  // namespace

double* WorkSpace::at_least(std::int64_t n_doubles) {
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

void WorkSpace::release() {
  if (data_) ::operator delete(data_, std::align_val_t{alignment_});
  data_ = nullptr;
  size_ = 0;
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const auto& named : usable_kernels()) names.emplace_back(named.name);
  return names;
}

void add_power_spectra(const FftPlan& plan, const Source& source, const std::vector<Series>& series, int n_segments,
                       const Settings& settings, WorkSpace& work, double* spectra, double* squares) {
  require(source.n_frames == plan.n_frames(), "the plan is for ", plan.n_frames(), " frames, got ", source.n_frames);
  const Kernels& kernels = choose_kernels(plan, settings);
  for (const auto& one : series)
    for (const int segment : one.segments)
      require(segment < n_segments, "segments must be below ", n_segments, ", got ", segment);
  const auto batches = make_batches(series, kernels.n_lanes);
  if (batches.empty()) return;
  const int n_batches = static_cast<int>(batches.size());
  const int round = std::min(n_batches, batches_per_round(plan, kernels.n_lanes, settings));
  Crew crew(plan, kernels, resolve_n_threads(settings.n_threads));
  Pass pass{};
  pass.plan = &plan;
  pass.source = &source;
  const bool first_call = work.size() == 0;
  pass.work = crew.claim_work(work, round * batch_bytes(plan, kernels.n_lanes) / 8);
  if (first_call) {
    crew.claim(squares, n_segments * plan.n_frames());
    crew.claim(spectra, n_segments * plan.spectrum_size());
  }
  pass.squares = squares;
  pass.spectra = spectra;
  for (int first = 0; first < n_batches; first += round) {
    pass.batches = batches.data() + first;
    pass.n_batches = std::min(round, n_batches - first);
    for (pass.parity = 0; pass.parity < 2; ++pass.parity) {
      crew.run_columns(pass, kernels.columns);
      crew.run_rows(pass, plan.stored_rows(pass.parity), kernels.row);
    }
  }
}

void correlations_from_spectra(const FftPlan& plan, const double* spectra, int n_segments, const Settings& settings,
                               WorkSpace& work, double* correlations) {
  const Kernels& kernels = choose_kernels(plan, settings);
  const int per_batch = 2 * kernels.n_lanes;
  const int round = std::min((n_segments + per_batch - 1) / per_batch,
                             batches_per_round(plan, kernels.n_lanes, settings));
  Crew crew(plan, kernels, resolve_n_threads(settings.n_threads));
  Pass pass{};
  pass.plan = &plan;
  pass.work = crew.claim_work(work, round * batch_bytes(plan, kernels.n_lanes) / 8);
  crew.claim(correlations, n_segments * plan.n_frames());
  for (int first = 0; first < n_segments; first += round * per_batch) {
    pass.n_series = std::min(round * per_batch, n_segments - first);
    pass.n_batches = (pass.n_series + per_batch - 1) / per_batch;
    pass.stored = spectra + first * plan.spectrum_size();
    pass.correlations = correlations + first * plan.n_frames();
    for (pass.parity = 0; pass.parity < 2; ++pass.parity) {
      crew.run_rows(pass, plan.n_rows(), kernels.inverse_row);
      crew.run_columns(pass, kernels.inverse_columns);
    }
  }
}

void displacement_sums(std::int64_t n_frames, int n_segments, const double* squares, bool averaged, int n_threads,
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
      const double origins = averaged ? static_cast<double>(n_frames - lag) : 1.0;
      sums[lag] = sum > 0 ? static_cast<double>(sum) / origins : 0.0;
    }
  });
}

}  // namespace polypace::dynamics
