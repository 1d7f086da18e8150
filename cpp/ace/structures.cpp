#include "ace/structures.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "neighbors/neighbor_finder.hpp"

namespace polypace::ace {
namespace {

constexpr std::size_t block_atoms = 128;
constexpr std::size_t slab_atoms = 256;
constexpr std::size_t most_slabs = 32;

// What one thread does at a time: some whole structures, or a part of the atoms of one structure. The division depends
// on the structures only, never on the threads.
struct Slab {
  std::size_t first_structure, last_structure;
  std::size_t first_atom, last_atom;
  bool whole;
};

std::vector<Slab> divide(const Structures& structures) {
  std::vector<Slab> slabs;
  for (std::size_t s = 0; s < structures.n_structures(); ++s) {
    const auto begin = static_cast<std::size_t>(structures.offsets[s]), end = static_cast<std::size_t>(structures.offsets[s + 1]);
    const std::size_t n = end - begin, n_parts = std::clamp<std::size_t>(n / slab_atoms, 1, most_slabs);
    const bool joins = n_parts == 1 && !slabs.empty() && slabs.back().whole &&
                       end - slabs.back().first_atom <= slab_atoms;
    if (joins) {
      slabs.back().last_structure = s + 1;
      slabs.back().last_atom = end;
      continue;
    }
    for (std::size_t part = 0; part < n_parts; ++part)
      slabs.push_back({s, s + 1, begin + part * n / n_parts, begin + (part + 1) * n / n_parts, n_parts == 1});
  }
  return slabs;
}

neighbors::NeighborFinder make_finder(const Structures& structures, std::size_t s, double cutoff) {
  const auto begin = structures.offsets[s], end = structures.offsets[s + 1];
  return {View2<const double>(structures.positions + 3 * begin, end - begin, 3), structures.cells[s], cutoff};
}

// Finders of structures that several slabs share; the others are made by their slab.
using Finders = std::vector<std::unique_ptr<neighbors::NeighborFinder>>;

struct Scratch {
  std::unique_ptr<Evaluator::Workspace, void (*)(Evaluator::Workspace*)> workspace;
  neighbors::Surroundings surroundings;
  std::vector<std::int64_t> offsets;
  std::vector<int> neighbor_species;
  std::vector<double> gradients;
};

template <class T>
T* shifted(T* pointer, std::size_t rows, std::size_t row_size = 1) {
  return pointer ? pointer + rows * row_size : nullptr;
}

// Where the forces and the virial of a slab go: those of whole structures straight to the outputs.
struct Sums {
  double* forces;   // of the first atom of the structure
  double* virial;
};

// Sums of one part of a structure: zero everywhere but for the atoms from `first` to `last`.
struct PartialSums {
  std::vector<double> forces;
  double virial[6] = {};
  std::size_t first = 0, last = 0;
};

// Adds the sums of parts to the outputs in the order of the slabs, so that threads do not change the result, and as
// soon as it can, so that no more of them exist than threads are at work.
class OrderedSums {
 public:
  OrderedSums(const std::vector<Slab>& slabs, const Structures& structures, const StructureOutputs& outputs)
      : slabs_(slabs), structures_(structures), outputs_(outputs), waiting_(slabs.size()), finished_(slabs.size()) {}

  std::unique_ptr<PartialSums> take(std::size_t slab) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto sums = std::make_unique<PartialSums>();
    if (!free_.empty()) {
      sums = std::move(free_.back());
      free_.pop_back();
    }
    const std::size_t s = slabs_[slab].first_structure;
    const auto n = static_cast<std::size_t>(structures_.offsets[s + 1] - structures_.offsets[s]);
    if (sums->forces.size() < 3 * n) sums->forces.resize(3 * n);
    sums->first = n;
    return sums;
  }

  void finish(std::size_t slab, std::unique_ptr<PartialSums> sums) {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_[slab] = std::move(sums);
    finished_[slab] = true;
    for (; next_ < slabs_.size() && finished_[next_]; ++next_)
      if (waiting_[next_]) add(next_);
  }

 private:
  void add(std::size_t slab) {
    auto& sums = *waiting_[slab];
    const std::size_t s = slabs_[slab].first_structure;
    double* forces = outputs_.forces + 3 * structures_.offsets[s];
    for (std::size_t x = 3 * sums.first; x < 3 * sums.last; ++x) {
      forces[x] += sums.forces[x];
      sums.forces[x] = 0;
    }
    for (int v = 0; v < 6; ++v) outputs_.virials[6 * s + v] += sums.virial[v];
    std::fill_n(sums.virial, 6, 0.0);
    sums.last = 0;
    free_.push_back(std::move(waiting_[slab]));
  }

  const std::vector<Slab>& slabs_;
  const Structures& structures_;
  const StructureOutputs& outputs_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<PartialSums>> waiting_, free_;
  std::vector<bool> finished_;
  std::size_t next_ = 0;
};

class SlabEvaluation {
 public:
  SlabEvaluation(const Evaluator& evaluator, const Structures& structures, const StructureOutputs& outputs)
      : evaluator_(evaluator), structures_(structures), outputs_(outputs), cutoff_(evaluator.max_cutoff()) {}

  // Adds to `partial`, or to the outputs where there is none.
  void run(const Slab& slab, const Finders& shared, PartialSums* partial, Scratch& scratch) const {
    std::size_t s = slab.first_structure;
    std::optional<neighbors::NeighborFinder> own;
    std::size_t own_structure = structures_.n_structures();
    for (std::size_t begin = slab.first_atom; begin < slab.last_atom; begin += block_atoms) {
      const std::size_t end = std::min(begin + block_atoms, slab.last_atom);
      scratch.surroundings.clear();
      scratch.offsets.assign(1, 0);
      const std::size_t first_structure = s;
      for (std::size_t atom = begin; atom < end; ++atom) {
        while (static_cast<std::size_t>(structures_.offsets[s + 1]) <= atom) ++s;
        if (!shared[s] && own_structure != s) {
          own.emplace(make_finder(structures_, s, cutoff_));
          own_structure = s;
        }
        const auto& finder = shared[s] ? *shared[s] : *own;
        add_atom(finder, s, atom, scratch);
      }
      evaluate_block(begin, end, scratch);
      if (outputs_.forces) scatter(begin, end, first_structure, partial, scratch);
    }
  }

 private:
  void add_atom(const neighbors::NeighborFinder& finder, std::size_t s, std::size_t atom, Scratch& scratch) const {
    const auto first = static_cast<std::size_t>(structures_.offsets[s]);
    auto& surroundings = scratch.surroundings;
    std::size_t pair = surroundings.n;
    finder.append(atom - first, surroundings);
    if (scratch.neighbor_species.size() < surroundings.n) scratch.neighbor_species.resize(surroundings.neighbors.size());
    for (; pair < surroundings.n; ++pair)
      scratch.neighbor_species[pair] = structures_.species[first + surroundings.neighbors[pair]];
    scratch.offsets.push_back(static_cast<std::int64_t>(surroundings.n));
  }

  void evaluate_block(std::size_t begin, std::size_t end, Scratch& scratch) const {
    Environments environments;
    environments.n_atoms = end - begin;
    environments.species = structures_.species + begin;
    environments.offsets = scratch.offsets.data();
    environments.displacements = scratch.surroundings.displacements.data();
    environments.neighbor_species = scratch.neighbor_species.data();
    Outputs wanted;
    wanted.energies = shifted(outputs_.energies, begin);
    if (outputs_.forces) {
      if (scratch.gradients.size() < scratch.surroundings.displacements.size())
        scratch.gradients.resize(scratch.surroundings.displacements.size());
      wanted.pair_gradients = scratch.gradients.data();
    }
    wanted.projections = shifted(outputs_.projections, begin, evaluator_.max_projections());
    wanted.gammas = shifted(outputs_.gammas, begin);
    wanted.core_factors = shifted(outputs_.core_factors, begin);
    evaluator_.evaluate(environments, wanted, *scratch.workspace);
  }

  void scatter(std::size_t begin, std::size_t end, std::size_t s, PartialSums* partial, const Scratch& scratch) const {
    if (partial) note_range(begin, end, s, *partial, scratch.surroundings);
    for (std::size_t atom = begin; atom < end; ++atom) {
      while (static_cast<std::size_t>(structures_.offsets[s + 1]) <= atom) ++s;
      const Sums sums = partial ? Sums{partial->forces.data(), partial->virial}
                                : Sums{outputs_.forces + 3 * structures_.offsets[s], outputs_.virials + 6 * s};
      double center[3] = {}, virial[6] = {};
      for (auto pair = scratch.offsets[atom - begin]; pair < scratch.offsets[atom - begin + 1]; ++pair) {
        const double *g = scratch.gradients.data() + 3 * pair, *r = scratch.surroundings.displacements.data() + 3 * pair;
        double* other = sums.forces + 3 * static_cast<std::size_t>(scratch.surroundings.neighbors[pair]);
        for (int d = 0; d < 3; ++d) {
          center[d] += g[d];
          other[d] -= g[d];
          virial[d] += r[d] * g[d];
        }
        virial[3] += r[0] * g[1];
        virial[4] += r[0] * g[2];
        virial[5] += r[1] * g[2];
      }
      double* own = sums.forces + 3 * (atom - static_cast<std::size_t>(structures_.offsets[s]));
      for (int d = 0; d < 3; ++d) own[d] += center[d];
      for (int v = 0; v < 6; ++v) sums.virial[v] += virial[v];
    }
  }

  // Which atoms of the structure a block of its atoms acts on.
  void note_range(std::size_t begin, std::size_t end, std::size_t s, PartialSums& partial,
                  const neighbors::Surroundings& surroundings) const {
    const auto first = static_cast<std::size_t>(structures_.offsets[s]);
    partial.first = std::min(partial.first, begin - first);
    partial.last = std::max(partial.last, end - first);
    for (std::size_t pair = 0; pair < surroundings.n; ++pair) {
      const auto neighbor = static_cast<std::size_t>(surroundings.neighbors[pair]);
      partial.first = std::min(partial.first, neighbor);
      partial.last = std::max(partial.last, neighbor + 1);
    }
  }

  const Evaluator& evaluator_;
  const Structures& structures_;
  const StructureOutputs& outputs_;
  double cutoff_;
};

}  // namespace

struct StructureWorkspaces::Implementation {
  std::mutex busy;
  std::vector<Scratch> scratch;
};

namespace {

// One scratch memory for each thread: the kept ones, or new ones while another call uses those.
std::vector<Scratch>& prepare(const Evaluator& evaluator, std::vector<Scratch>& scratch, int n_threads) {
  while (scratch.size() < static_cast<std::size_t>(n_threads))
    scratch.push_back({evaluator.make_workspace(), {}, {}, {}, {}});
  return scratch;
}

}  // namespace

StructureWorkspaces::StructureWorkspaces() : implementation_(std::make_unique<Implementation>()) {}
StructureWorkspaces::~StructureWorkspaces() = default;
StructureWorkspaces::StructureWorkspaces(StructureWorkspaces&&) noexcept = default;
StructureWorkspaces& StructureWorkspaces::operator=(StructureWorkspaces&&) noexcept = default;

void evaluate_structures(const Evaluator& evaluator, const Structures& structures, const StructureOutputs& outputs,
                         int n_threads, StructureWorkspaces& workspaces) {
  n_threads = resolve_n_threads(n_threads);
  require(evaluator.max_cutoff() > 0, "the potential defines no bond, so it has no cutoff");
  require(!outputs.forces == !outputs.virials, "forces and virials are wanted together or not at all");
  const std::vector<Slab> slabs = divide(structures);
  Finders finders(structures.n_structures());
  std::vector<std::size_t> shared;
  for (const auto& slab : slabs)
    if (!slab.whole && (shared.empty() || shared.back() != slab.first_structure)) shared.push_back(slab.first_structure);
  parallel_for(shared.size(), n_threads, [&](std::size_t i, int) {
    finders[shared[i]] =
        std::make_unique<neighbors::NeighborFinder>(make_finder(structures, shared[i], evaluator.max_cutoff()));
  });
  if (outputs.forces) {
    std::fill_n(outputs.forces, 3 * structures.n_atoms(), 0.0);
    std::fill_n(outputs.virials, 6 * structures.n_structures(), 0.0);
  }
  const std::unique_lock<std::mutex> kept(workspaces.implementation_->busy, std::try_to_lock);
  std::vector<Scratch> own;
  std::vector<Scratch>& scratch = prepare(evaluator, kept ? workspaces.implementation_->scratch : own, n_threads);
  const SlabEvaluation evaluation(evaluator, structures, outputs);
  OrderedSums ordered(slabs, structures, outputs);
  parallel_for(slabs.size(), n_threads, [&](std::size_t i, int thread) {
    std::unique_ptr<PartialSums> partial;
    if (!slabs[i].whole && outputs.forces) partial = ordered.take(i);
    evaluation.run(slabs[i], finders, partial.get(), scratch[thread]);
    ordered.finish(i, std::move(partial));
  });
}

void evaluate_environments(const Evaluator& evaluator, const Environments& environments, const Outputs& outputs,
                           int n_threads, StructureWorkspaces& workspaces) {
  n_threads = resolve_n_threads(n_threads);
  const std::unique_lock<std::mutex> kept(workspaces.implementation_->busy, std::try_to_lock);
  std::vector<Scratch> own;
  std::vector<Scratch>& scratch = prepare(evaluator, kept ? workspaces.implementation_->scratch : own, n_threads);
  const std::size_t n_blocks = (environments.n_atoms + block_atoms - 1) / block_atoms;
  parallel_for(n_blocks, n_threads, [&](std::size_t block, int thread) {
    const std::size_t begin = block * block_atoms, end = std::min(begin + block_atoms, environments.n_atoms);
    const auto first = static_cast<std::size_t>(environments.offsets[begin]);
    auto& offsets = scratch[thread].offsets;
    offsets.assign(environments.offsets + begin, environments.offsets + end + 1);
    for (auto& offset : offsets) offset -= static_cast<std::int64_t>(first);
    Environments part;
    part.n_atoms = end - begin;
    part.species = environments.species + begin;
    part.offsets = offsets.data();
    part.displacements = environments.displacements + 3 * first;
    part.neighbor_species = environments.neighbor_species + first;
    Outputs wanted;
    wanted.energies = shifted(outputs.energies, begin);
    wanted.pair_gradients = shifted(outputs.pair_gradients, first, 3);
    wanted.projections = shifted(outputs.projections, begin, evaluator.max_projections());
    wanted.gammas = shifted(outputs.gammas, begin);
    wanted.core_factors = shifted(outputs.core_factors, begin);
    wanted.densities = shifted(outputs.densities, begin, evaluator.max_densities());
    evaluator.evaluate(part, wanted, *scratch[thread].workspace);
  });
}

}  // namespace polypace::ace
