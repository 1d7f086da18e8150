#include "ace/design_rows.hpp"

#include <algorithm>
#include <vector>

#include "ace/compiled_potential.hpp"
#include "ace/design_program.hpp"
#include "ace/lane_block.hpp"
#include "base/errors.hpp"
#include "base/threads.hpp"
#include "neighbors/neighbor_list.hpp"

namespace polypace::ace {
namespace {

std::size_t padded_size(std::size_t n) { return (n + 7) / 8 * 8; }

// One structure with its neighbours, ready for the kernels.
struct Surroundings {
  neighbors::NeighborList list;
  std::vector<int> neighbor_species;
  std::vector<std::vector<std::int64_t>> atoms_of_species;
  Environments environments;
};

Surroundings surroundings_of(const Structures& structures, std::size_t s, double cutoff, int n_species) {
  const auto begin = structures.offsets[s], end = structures.offsets[s + 1];
  const int* species = structures.species + begin;
  Surroundings result;
  result.list = neighbors::build_neighbor_list(View2<const double>(structures.positions + 3 * begin, end - begin, 3),
                                               structures.cells[s], cutoff, 1);
  for (const auto j : result.list.neighbors) result.neighbor_species.push_back(species[j]);
  result.atoms_of_species.resize(n_species);
  for (std::int64_t i = 0; i < end - begin; ++i) {
    require(species[i] >= 0 && species[i] < n_species, "species of atoms must be 0 to ", n_species - 1, ", got ",
            species[i]);
    result.atoms_of_species[species[i]].push_back(i);
  }
  result.environments.n_atoms = static_cast<std::size_t>(end - begin);
  result.environments.species = species;
  result.environments.offsets = result.list.offsets.data();
  result.environments.displacements = result.list.displacements.empty() ? nullptr : result.list.displacements[0].data();
  result.environments.neighbor_species = result.neighbor_species.data();
  return result;
}

// The atoms on which the force of a centre's functions acts: all atoms of a small structure, else those in reach.
class Targets {
 public:
  void reset(std::size_t n_atoms) {
    all_ = n_atoms <= 48;
    place_.assign(n_atoms, -1);
    if (!all_) return;
    atoms_.resize(n_atoms);
    for (std::size_t i = 0; i < n_atoms; ++i) place_[i] = atoms_[i] = static_cast<int>(i);
  }
  void collect(const neighbors::NeighborList& list, std::int64_t center) {
    if (all_) return;
    for (const int atom : atoms_) place_[atom] = -1;
    atoms_.clear();
    add(static_cast<int>(center));
    for (auto pair = list.offsets[center]; pair < list.offsets[center + 1]; ++pair) add(list.neighbors[pair]);
  }
  // Whether target t is atom t. Not the same as reaching all atoms, which come in the order of the neighbour list.
  bool are_all_atoms() const { return all_; }
  int place(std::int64_t atom) const { return place_[atom]; }
  const std::vector<int>& atoms() const { return atoms_; }

 private:
  void add(int atom) {
    if (place_[atom] >= 0) return;
    place_[atom] = static_cast<int>(atoms_.size());
    atoms_.push_back(atom);
  }
  bool all_ = true;
  std::vector<int> place_, atoms_;
};

struct Workspace {
  LaneBlock lanes;
  Targets targets[kernel::max_width];
  LaneBuffer entries, gradients, sums, transposed, contracted, matrix;
  LaneBuffer leaves[kernel::max_width];
};

}  // namespace

class DesignRowBuilder::Implementation {
 public:
  Implementation(const BPotential& potential, RadialEvaluation radial, Instructions instructions)
      : compiled_(potential), radial_(radial), kernel_(choose_kernel(instructions)) {
    for (int mu = 0; mu < potential.n_species(); ++mu) {
      designs_.push_back(std::make_unique<DesignProgram>(compiled_.program(mu).program()));
      first_columns_.push_back(n_columns_);
      n_columns_ += potential.functions[mu].size();
      for (const auto& bond : potential.bonds)
        if (bond.defined) cutoff_ = std::max(cutoff_, bond.r_cut);
    }
    require(cutoff_ > 0, "the potential defines no bond, so it has no cutoff");
  }

  std::size_t n_columns() const { return n_columns_; }
  double max_cutoff() const { return cutoff_; }

  void fill(const Structures& structures, double* energies, double* forces, double* virials, int n_threads) const {
    n_threads = resolve_n_threads(n_threads);
    std::vector<Workspace> workspaces(n_threads);
    parallel_for(structures.n_structures(), n_threads, [&](std::size_t s, int thread) {
      double* force_rows = forces + 3 * static_cast<std::size_t>(structures.offsets[s]) * n_columns_;
      fill_structure(structures, s, energies + s * n_columns_, force_rows, virials + 6 * s * n_columns_,
                     workspaces[thread]);
    });
  }

 private:
  // matrix[f][3 atoms + 6 virial]: functions in rows while sums go on, transposed at the end.
  void fill_structure(const Structures& structures, std::size_t s, double* energies, double* forces, double* virials,
                      Workspace& work) const {
    const Surroundings surroundings = surroundings_of(structures, s, cutoff_, compiled_.header().n_species());
    const std::size_t n_atoms = surroundings.environments.n_atoms, stride = padded_size(3 * n_atoms + 6);
    double* matrix = work.matrix.reserve(n_columns_ * stride);
    std::fill_n(matrix, n_columns_ * stride, 0.0);
    std::fill_n(energies, n_columns_, 0.0);
    for (int lane = 0; lane < kernel_->width; ++lane) work.targets[lane].reset(n_atoms);
    for (int mu = 0; mu < compiled_.header().n_species(); ++mu) {
      const auto& atoms = surroundings.atoms_of_species[mu];
      for (std::size_t begin = 0; begin < atoms.size(); begin += kernel_->width) {
        const int n_lanes = static_cast<int>(std::min<std::size_t>(kernel_->width, atoms.size() - begin));
        add_block(mu, surroundings, atoms.data() + begin, n_lanes, energies + first_columns_[mu],
                  matrix + first_columns_[mu] * stride, stride, work);
      }
    }
    const int columns = static_cast<int>(n_columns_), rows = static_cast<int>(3 * n_atoms);
    kernel_->transpose(matrix, columns, static_cast<int>(stride), rows, forces, columns);
    kernel_->transpose(matrix + rows, columns, static_cast<int>(stride), 6, virials, columns);
  }

  void add_block(int mu, const Surroundings& surroundings, const std::int64_t* atoms, int n_lanes, double* energies,
                 double* matrix, std::size_t stride, Workspace& work) const {
    const CompiledProgram& compiled = compiled_.program(mu);
    const kernel::ProgramView& program = compiled.view();
    const kernel::DesignView& design = designs_[mu]->view();
    LaneBlock& lanes = work.lanes;
    const int width = kernel_->width;
    lanes.gather(compiled, surroundings.environments, atoms, n_lanes, width, nullptr);
    kernel_->geometry(program, lanes.block);
    if (radial_ == RadialEvaluation::spline)
      kernel_->radial(program, lanes.block);
    else
      lanes.evaluate_columns(compiled);
    kernel_->forward(program, lanes.block);
    for (int t = 0; t < program.n_terms; ++t)
      for (int lane = 0; lane < n_lanes; ++lane) energies[t] += lanes.block.terms[t * width + lane];
    double* entries = work.entries.reserve(static_cast<std::size_t>(width) * (design.n_entries + design.max_locals));
    kernel_->jacobian(design, lanes.block, entries);
    spread_leaves(program, surroundings, atoms, n_lanes, work);
    for (int lane = 0; lane < n_lanes; ++lane) {
      const auto& targets = work.targets[lane].atoms();
      const std::size_t n_used = 3 * targets.size() + 6, n = padded_size(n_used);
      double* leaves = work.transposed.reserve(static_cast<std::size_t>(program.n_leaf_slots) * n);
      std::fill_n(leaves, program.n_leaf_slots * n, 0.0);
      kernel_->transpose(work.leaves[lane].reserve(0), static_cast<int>(n_used), leaf_stride(program),
                         program.n_leaf_slots, leaves, static_cast<int>(n));
      if (work.targets[lane].are_all_atoms()) {
        kernel_->contract(design, entries, lane, leaves, static_cast<int>(n), matrix);
        continue;
      }
      double* part = work.contracted.reserve(design.n_functions * n);
      std::fill_n(part, design.n_functions * n, 0.0);
      kernel_->contract(design, entries, lane, leaves, static_cast<int>(n), part);
      for (int f = 0; f < design.n_functions; ++f)
        add_row(part + f * n, targets, matrix + f * stride, surroundings.environments.n_atoms);
    }
  }

  static void add_row(const double* part, const std::vector<int>& targets, double* row,
                      std::size_t n_atoms) {
    for (std::size_t t = 0; t < targets.size(); ++t)
      for (int d = 0; d < 3; ++d) row[3 * static_cast<std::size_t>(targets[t]) + d] += part[3 * t + d];
    for (int v = 0; v < 6; ++v) row[3 * n_atoms + v] += part[3 * targets.size() + v];
  }

  int leaf_stride(const kernel::ProgramView& program) const {
    return static_cast<int>(padded_size(program.n_leaf_slots + kernel_->width));
  }

  // leaves[lane][3 targets + 6][slot]: minus the gradient of the atomic basis by the position of every target, and its
  // derivative by the strain.
  void spread_leaves(const kernel::ProgramView& program, const Surroundings& surroundings, const std::int64_t* atoms,
                     int n_lanes, Workspace& work) const {
    const int width = kernel_->width, stride = leaf_stride(program);
    const std::size_t per_direction = static_cast<std::size_t>(program.n_leaf_slots + width) * width;
    double* gradients = work.gradients.reserve(3 * per_direction);
    double* sums = work.sums.reserve(9 * per_direction);
    std::fill_n(sums, 9 * per_direction, 0.0);
    double* leaves[kernel::max_width] = {};
    for (int lane = 0; lane < n_lanes; ++lane) {
      work.targets[lane].collect(surroundings.list, atoms[lane]);
      const std::size_t size = (3 * work.targets[lane].atoms().size() + 6) * stride;
      leaves[lane] = work.leaves[lane].reserve(size);
      std::fill_n(leaves[lane], size, 0.0);
    }
    double* rows[kernel::max_width] = {};
    int row = 0;
    for (int mu = 0; mu < program.n_species; ++mu)
      for (; row < work.lanes.block.segment_ends[mu]; ++row) {
        for (int lane = 0; lane < n_lanes; ++lane) {
          const auto pair = work.lanes.block.pairs[row * width + lane];
          rows[lane] = pair < 0 ? nullptr
                                : leaves[lane] + 3 * stride * work.targets[lane].place(surroundings.list.neighbors[pair]);
        }
        kernel_->leaf_gradients(program, work.lanes.block, row, mu, gradients);
        kernel_->spread(program, work.lanes.block, row, mu, gradients, rows, stride, sums);
      }
    // The centre moves against all its neighbours; the virial comes behind the targets.
    for (int d = 0; d < 9; ++d) {
      for (int lane = 0; lane < n_lanes; ++lane) {
        const auto& targets = work.targets[lane];
        const std::size_t column = d < 3 ? 3 * targets.place(atoms[lane]) + d : 3 * targets.atoms().size() + d - 3;
        rows[lane] = leaves[lane] + column * stride;
      }
      kernel_->unlane(sums + d * per_direction, program.n_leaf_slots, rows);
    }
  }

  CompiledPotential compiled_;
  RadialEvaluation radial_;
  const kernel::Functions* kernel_;
  double cutoff_ = 0;
  std::vector<std::unique_ptr<DesignProgram>> designs_;
  std::vector<std::size_t> first_columns_;
  std::size_t n_columns_ = 0;
};

DesignRowBuilder::DesignRowBuilder(const BPotential& potential, RadialEvaluation radial, Instructions instructions)
    : implementation_(std::make_unique<Implementation>(potential, radial, instructions)) {}
DesignRowBuilder::~DesignRowBuilder() = default;
DesignRowBuilder::DesignRowBuilder(DesignRowBuilder&&) noexcept = default;
DesignRowBuilder& DesignRowBuilder::operator=(DesignRowBuilder&&) noexcept = default;
std::size_t DesignRowBuilder::n_columns() const { return implementation_->n_columns(); }
double DesignRowBuilder::max_cutoff() const { return implementation_->max_cutoff(); }
void DesignRowBuilder::fill(const Structures& structures, double* energies, double* forces, double* virials,
                            int n_threads) const {
  implementation_->fill(structures, energies, forces, virials, n_threads);
}

}  // namespace polypace::ace
