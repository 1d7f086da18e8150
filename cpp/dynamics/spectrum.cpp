#include "dynamics/spectrum.hpp"

#include <algorithm>
#include <map>

#include "base/errors.hpp"

namespace polypace::dynamics {
namespace {

constexpr std::int64_t default_work_bytes = 16 << 20;  // keeps both passes within a last-level cache

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

using Columns = void (*)(const Pass&, int begin, int end, double* scratch);
using Row = void (*)(const Pass&, int f, double* scratch);

// The passes of a transform, shared among the threads.
struct Passes {
  Passes(const FftPlan& plan, const Kernels& kernels, Crew& crew)
      : size(scratch_size(plan, kernels)), scratch(crew.scratch(size)), team(crew.team()) {}

  void columns(const Pass& pass, Columns columns) const {
    const int n_columns = pass.plan->n_columns();
    team.run_apart((n_columns + columns_at_once - 1) / columns_at_once, [&](std::size_t tile, int thread) {
      const int begin = static_cast<int>(tile) * columns_at_once;
      columns(pass, begin, std::min(begin + columns_at_once, n_columns), scratch + thread * size);
    });
  }

  void rows(const Pass& pass, int n_rows, Row row) const {
    team.run_apart(n_rows, [&](std::size_t f, int thread) {
      row(pass, static_cast<int>(f), scratch + thread * size);
    });
  }

  std::int64_t size;
  double* scratch;
  ThreadTeam& team;
};

}  // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const auto& named : usable_kernels()) names.emplace_back(named.name);
  return names;
}

void add_power_spectra(const FftPlan& plan, const Source& source, const std::vector<Series>& series, int n_segments,
                       const Settings& settings, Crew& crew, double* spectra, double* squares) {
  require(source.n_frames == plan.n_frames(), "the plan is for ", plan.n_frames(), " frames, got ", source.n_frames);
  const Kernels& kernels = choose_kernels(plan, settings);
  for (const auto& one : series)
    for (const int segment : one.segments)
      require(segment < n_segments, "segments must be below ", n_segments, ", got ", segment);
  const auto batches = make_batches(series, kernels.n_lanes);
  if (batches.empty()) return;
  const int n_batches = static_cast<int>(batches.size());
  const int round = std::min(n_batches, batches_per_round(plan, kernels.n_lanes, settings));
  const Passes passes(plan, kernels, crew);
  Pass pass{};
  pass.plan = &plan;
  pass.source = &source;
  pass.work = crew.work(round * batch_bytes(plan, kernels.n_lanes) / 8);
  pass.squares = squares;
  pass.spectra = spectra;
  for (int first = 0; first < n_batches; first += round) {
    pass.batches = batches.data() + first;
    pass.n_batches = std::min(round, n_batches - first);
    for (pass.parity = 0; pass.parity < 2; ++pass.parity) {
      passes.columns(pass, kernels.columns);
      passes.rows(pass, plan.stored_rows(pass.parity), kernels.row);
    }
  }
}

void correlate(const FftPlan& plan, int n_segments, const Settings& settings, Crew& crew, double* spectra) {
  const Kernels& kernels = choose_kernels(plan, settings);
  const int per_batch = 2 * kernels.n_lanes;
  const int round = std::min((n_segments + per_batch - 1) / per_batch,
                             batches_per_round(plan, kernels.n_lanes, settings));
  const Passes passes(plan, kernels, crew);
  Pass pass{};
  pass.plan = &plan;
  pass.work = crew.work(round * batch_bytes(plan, kernels.n_lanes) / 8);
  for (int first = 0; first < n_segments; first += round * per_batch) {
    pass.n_series = std::min(round * per_batch, n_segments - first);
    pass.n_batches = (pass.n_series + per_batch - 1) / per_batch;
    pass.spectra = spectra + first * plan.spectrum_size();
    for (pass.parity = 0; pass.parity < 2; ++pass.parity) {
      passes.rows(pass, plan.n_rows(), kernels.inverse_row);
      passes.columns(pass, kernels.inverse_columns);
    }
  }
}

}  // namespace polypace::dynamics
