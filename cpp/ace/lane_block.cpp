#include "ace/lane_block.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"

namespace polypace::ace {

void LaneBlock::select(const CompiledProgram& compiled, const Environments& environments, std::int64_t atom, int lane,
                       double* pair_gradients) {
  const auto& neighbors = compiled.program().neighbors;
  auto& accepted = accepted_[lane];
  auto& counts = counts_[lane];
  accepted.clear();
  counts.assign(neighbors.size(), 0);
  for (auto pair = environments.offsets[atom]; pair < environments.offsets[atom + 1]; ++pair) {
    const int species = environments.neighbor_species[pair];
    require(species >= 0 && species < static_cast<int>(neighbors.size()), "neighbour species must be 0 to ",
            neighbors.size() - 1, ", got ", species, " for pair ", pair);
    const auto& neighbor = neighbors[species];
    const double* d = environments.displacements + 3 * pair;
    const double r2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2], cutoff = neighbor.columns.bond().r_cut;
    if (!neighbor.active || !(r2 < cutoff * cutoff)) {
      if (pair_gradients) std::fill_n(pair_gradients + 3 * pair, 3, 0.0);
      require_numerics(std::isfinite(r2), "the distance of atom ", atom, " and a neighbour (pair ", pair,
                       ") is not a number; check the positions");
      continue;
    }
    require_numerics(r2 * neighbor.table.scale * neighbor.table.scale >= 1, "atom ", atom, " and a neighbour (pair ",
                     pair, ") are ", std::sqrt(r2), " Å apart, below the first radial knot at ",
                     1 / neighbor.table.scale, " Å; remove coinciding atoms or wrap the positions once");
    accepted.push_back(pair);
    ++counts[species];
  }
}

void LaneBlock::allocate(const CompiledProgram& compiled, int n_rows) {
  const auto& view = compiled.view();
  int stride = 0;
  for (int mu = 0; mu < view.n_species; ++mu) stride = std::max(stride, view.neighbors[mu].stride);
  const int record = 4 + 2 * stride + (view.l_max + 1) * (view.l_max + 1);
  const std::size_t w = width_;
  block.columns_offset = 4 * width_;
  block.derivatives_offset = (4 + stride) * width_;
  block.harmonics_offset = (4 + 2 * stride) * width_;
  block.record_stride = record * width_;
  block.records = record_buffer_.reserve(w * record * n_rows);
  pairs_.assign(w * n_rows, -1);
  block.pairs = pairs_.data();
  double* next = value_buffer_.reserve(
      w * (2 * view.n_slots + view.max_products + view.n_terms + 2 * view.n_densities + 4));
  const auto take = [&](int n) {
    double* taken = next;
    next += n * w;
    return taken;
  };
  block.slots = take(view.n_slots);
  block.adjoints = take(view.n_slots);
  block.products = take(view.max_products);
  block.terms = take(view.n_terms);
  block.densities = take(view.n_densities);
  block.core = take(1);
  block.density_weights = density_weights = take(view.n_densities);
  block.core_weights = core_weights = take(1);
  grades = take(1);
}

void LaneBlock::gather(const CompiledProgram& compiled, const Environments& environments, const std::int64_t* atoms,
                       int n_lanes, int width, double* pair_gradients) {
  width_ = width;
  const int n_species = compiled.view().n_species;
  for (int lane = 0; lane < n_lanes; ++lane) select(compiled, environments, atoms[lane], lane, pair_gradients);
  segment_ends_.assign(n_species, 0);
  for (int mu = 0, end = 0; mu < n_species; ++mu) {
    int most = 0;
    for (int lane = 0; lane < n_lanes; ++lane) most = std::max(most, counts_[lane][mu]);
    segment_ends_[mu] = end += most;
  }
  const int n_rows = n_species ? segment_ends_.back() : 0;
  allocate(compiled, n_rows);
  double* displacements = displacement_buffer_.reserve(static_cast<std::size_t>(3) * width * n_rows);
  // Padding: a neighbour on the z axis, far beyond every cutoff.
  for (int row = 0; row < n_rows; ++row)
    for (int lane = 0; lane < width; ++lane) {
      double* d = displacements + (3 * row) * width + lane;
      d[0] = d[width] = 0;
      d[2 * width] = 1e6;
    }
  std::vector<int>& cursor = counts_[0];
  for (int lane = 0; lane < n_lanes; ++lane) {
    for (int mu = 0; mu < n_species; ++mu) cursor[mu] = mu ? segment_ends_[mu - 1] : 0;
    for (const auto pair : accepted_[lane]) {
      const int row = cursor[environments.neighbor_species[pair]]++;
      double* d = displacements + (3 * row) * width + lane;
      for (int e = 0; e < 3; ++e) d[e * width] = environments.displacements[3 * pair + e];
      pairs_[row * width + lane] = pair;
    }
  }
  block.segment_ends = segment_ends_.data();
  block.displacements = displacements;
  block.pair_gradients = pair_gradients;
  block.wants_gradients = pair_gradients != nullptr;
  block.wants_terms = true;
}

void LaneBlock::evaluate_columns(const CompiledProgram& compiled) {
  int row = 0;
  for (std::size_t mu = 0; mu < segment_ends_.size(); ++mu) {
    const auto& columns = compiled.program().neighbors[mu].columns;
    const int n = columns.size(), k_max = columns.bond().k_max;
    scratch_.assign(2 * (n + k_max), 0.0);
    for (; row < segment_ends_[mu]; ++row) {
      double* record = block.records + static_cast<std::ptrdiff_t>(row) * block.record_stride;
      for (int lane = 0; lane < width_; ++lane) {
        columns.evaluate(1 / record[3 * width_ + lane], scratch_.data(), scratch_.data() + n, scratch_.data() + 2 * n);
        for (int column = 0; column < n; ++column) {
          record[block.columns_offset + column * width_ + lane] = scratch_[column];
          record[block.derivatives_offset + column * width_ + lane] = scratch_[n + column];
        }
      }
    }
  }
}

LaneBlock::Deepest LaneBlock::deepest(const CompiledProgram& compiled, const Environments& environments,
                                      int lane) const {
  Deepest result;
  double best = 0;
  for (const auto pair : accepted_[lane]) {
    const int species = environments.neighbor_species[pair];
    const Bond& bond = compiled.program().neighbors[species].columns.bond();
    const double* d = environments.displacements + 3 * pair;
    const double r = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]), depth = r - (bond.r_in - bond.delta_in);
    if (result.pair >= 0 && depth >= best) continue;
    best = depth;
    result = {pair, species, r};
  }
  return result;
}

}  // namespace polypace::ace
