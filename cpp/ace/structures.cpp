#include "ace/structures.hpp"

#include <algorithm>

#include "base/errors.hpp"
#include "base/threads.hpp"
#include "neighbors/neighbor_list.hpp"

namespace polypace::ace {
namespace {

constexpr std::size_t group_atoms = 4096;  // structures are taken together up to this many atoms
constexpr std::size_t block_atoms = 64;
constexpr std::size_t slab_atoms = 256;

// The neighbours of the atoms of some consecutive structures, joined.
struct Group {
  std::size_t first = 0, last = 0;        // structures
  std::size_t first_atom = 0, n_atoms = 0;
  std::vector<neighbors::NeighborList> lists;
  std::vector<std::int64_t> offsets;      // atoms of the group + 1
  std::vector<double> displacements;
  std::vector<int> neighbor_species;
  std::vector<double> gradients;
};

void find_neighbors(const Structures& structures, double cutoff, int n_threads, Group& group) {
  const std::size_t n = group.last - group.first;
  group.lists.resize(n);
  const auto build = [&](std::size_t s, int threads) {
    const auto begin = structures.offsets[group.first + s], end = structures.offsets[group.first + s + 1];
    group.lists[s] = neighbors::build_neighbor_list(
        View2<const double>(structures.positions + 3 * begin, end - begin, 3), structures.cells[group.first + s],
        cutoff, threads);
  };
  if (n == 1)
    build(0, n_threads);
  else
    parallel_for(n, n_threads, [&](std::size_t s, int) { build(s, 1); });
  group.offsets.assign(1, 0);
  std::vector<std::size_t> first_pair(n + 1, 0);
  for (std::size_t s = 0; s < n; ++s) {
    const auto& list = group.lists[s];
    for (std::size_t i = 1; i < list.offsets.size(); ++i)
      group.offsets.push_back(static_cast<std::int64_t>(first_pair[s]) + list.offsets[i]);
    first_pair[s + 1] = first_pair[s] + list.neighbors.size();
  }
  group.displacements.resize(3 * first_pair[n]);
  group.neighbor_species.resize(first_pair[n]);
  parallel_for(n, n_threads, [&](std::size_t s, int) {
    auto& list = group.lists[s];
    const int* species = structures.species + structures.offsets[group.first + s];
    for (std::size_t pair = 0; pair < list.neighbors.size(); ++pair) {
      for (int d = 0; d < 3; ++d) group.displacements[3 * (first_pair[s] + pair) + d] = list.displacements[pair][d];
      group.neighbor_species[first_pair[s] + pair] = species[list.neighbors[pair]];
    }
    std::vector<Vec3>().swap(list.displacements);
    std::vector<std::array<std::int32_t, 3>>().swap(list.shifts);
  });
}

template <class T>
T* shifted(T* pointer, std::size_t rows, std::size_t row_size = 1) {
  return pointer ? pointer + rows * row_size : nullptr;
}

void evaluate_group(const Evaluator& evaluator, const Structures& structures, const StructureOutputs& outputs,
                    int n_threads, Group& group) {
  group.gradients.resize(outputs.forces ? group.displacements.size() : 0);
  const std::size_t n_blocks = (group.n_atoms + block_atoms - 1) / block_atoms;
  std::vector<decltype(evaluator.make_workspace())> workspaces;
  for (int thread = 0; thread < n_threads; ++thread) workspaces.push_back(evaluator.make_workspace());
  parallel_for(n_blocks, n_threads, [&](std::size_t block, int thread) {
    const std::size_t begin = block * block_atoms, atom = group.first_atom + begin;
    Environments environments;
    environments.n_atoms = std::min(block_atoms, group.n_atoms - begin);
    environments.species = structures.species + atom;
    environments.offsets = group.offsets.data() + begin;
    environments.displacements = group.displacements.data();
    environments.neighbor_species = group.neighbor_species.data();
    Outputs wanted;
    wanted.energies = shifted(outputs.energies, atom);
    wanted.pair_gradients = outputs.forces ? group.gradients.data() : nullptr;
    wanted.projections = shifted(outputs.projections, atom, evaluator.max_projections());
    wanted.gammas = shifted(outputs.gammas, atom);
    wanted.core_factors = shifted(outputs.core_factors, atom);
    evaluator.evaluate(environments, wanted, *workspaces[thread]);
  });
}

// Forces and virial of one structure. Slabs of centres add into arrays of their own, which are joined in order, so
// threads do not change the sums.
void scatter(const Structures& structures, const StructureOutputs& outputs, int n_threads, const Group& group,
             std::size_t s) {
  const auto atom = static_cast<std::size_t>(structures.offsets[group.first + s]);
  const auto n = static_cast<std::size_t>(structures.offsets[group.first + s + 1]) - atom;
  const auto& neighbors = group.lists[s].neighbors;
  const std::int64_t* offsets = group.offsets.data() + (atom - group.first_atom);
  const std::size_t n_slabs = std::clamp<std::size_t>(n / slab_atoms, 1, 16);
  std::vector<double> sums(n_slabs * (3 * n + 6), 0.0);
  parallel_for(n_slabs, n_threads, [&](std::size_t slab, int) {
    double *forces = sums.data() + slab * (3 * n + 6), *virial = forces + 3 * n;
    for (std::size_t i = slab * n / n_slabs; i < (slab + 1) * n / n_slabs; ++i)
      for (auto pair = offsets[i]; pair < offsets[i + 1]; ++pair) {
        const double *g = group.gradients.data() + 3 * pair, *r = group.displacements.data() + 3 * pair;
        const std::size_t j = neighbors[pair - offsets[0]];
        for (int d = 0; d < 3; ++d) {
          forces[3 * i + d] += g[d];
          forces[3 * j + d] -= g[d];
          virial[d] += r[d] * g[d];
        }
        virial[3] += r[0] * g[1];
        virial[4] += r[0] * g[2];
        virial[5] += r[1] * g[2];
      }
  });
  for (std::size_t slab = 1; slab < n_slabs; ++slab)
    for (std::size_t x = 0; x < 3 * n + 6; ++x) sums[x] += sums[slab * (3 * n + 6) + x];
  std::copy_n(sums.data(), 3 * n, outputs.forces + 3 * atom);
  if (outputs.virials) std::copy_n(sums.data() + 3 * n, 6, outputs.virials + 6 * (group.first + s));
}

}  // namespace

void evaluate_structures(const Evaluator& evaluator, const Structures& structures, const StructureOutputs& outputs,
                         int n_threads) {
  n_threads = resolve_n_threads(n_threads);
  const double cutoff = evaluator.max_cutoff();
  require(cutoff > 0, "the potential defines no bond, so it has no cutoff");
  Group group;
  while (group.last < structures.n_structures()) {
    group.first = group.last;
    group.first_atom = static_cast<std::size_t>(structures.offsets[group.first]);
    do {
      ++group.last;
      group.n_atoms = static_cast<std::size_t>(structures.offsets[group.last]) - group.first_atom;
    } while (group.last < structures.n_structures() &&
             static_cast<std::size_t>(structures.offsets[group.last + 1]) - group.first_atom <= group_atoms);
    find_neighbors(structures, cutoff, n_threads, group);
    evaluate_group(evaluator, structures, outputs, n_threads, group);
    if (!outputs.forces) continue;
    const std::size_t n = group.last - group.first;
    if (n == 1)
      scatter(structures, outputs, n_threads, group, 0);
    else
      parallel_for(n, n_threads, [&](std::size_t s, int) { scatter(structures, outputs, 1, group, s); });
  }
}

}  // namespace polypace::ace
