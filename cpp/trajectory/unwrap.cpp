#include "trajectory/unwrap.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"
#include "base/threads.hpp"

namespace polypace::trajectory {
namespace {

void keep_longest(LongestStep& longest, const LongestStep& other) {
  if (other.fraction > longest.fraction) longest = other;
}

double largest_periodic(const Vec3& s, const std::array<bool, 3>& pbc) {
  double largest = 0;
  for (int d = 0; d < 3; ++d)
    if (pbc[d]) largest = std::max(largest, std::abs(s[d]));
  return largest;
}

Vec3 difference(const double* a, const double* b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }

LongestStep make_frame_whole(double* r, const Cell& cell, const BondTree& tree, std::size_t frame) {
  LongestStep longest;
  for (std::size_t k = 0; k < tree.children.size(); ++k) {
    const auto child = static_cast<std::size_t>(tree.children[k]), parent = static_cast<std::size_t>(tree.parents[k]);
    const Vec3 bond = cell.wrap_displacement(difference(r + 3 * child, r + 3 * parent));
    for (int d = 0; d < 3; ++d) r[3 * child + d] = r[3 * parent + d] + bond[d];
    keep_longest(longest, {largest_periodic(cell.fractional(bond), cell.pbc()), frame, parent, child});
  }
  for (std::size_t k = 0; k < tree.ring_bonds.size(); k += 2) {
    const auto a = static_cast<std::size_t>(tree.ring_bonds[k]), b = static_cast<std::size_t>(tree.ring_bonds[k + 1]);
    const double fraction = largest_periodic(cell.fractional(difference(r + 3 * b, r + 3 * a)), cell.pbc());
    keep_longest(longest, {fraction > 0.5 ? 1.0 : fraction, frame, a, b});
  }
  return longest;
}

// n of r = w + n·h with w inside the cell.
Vec3 image_of(const double* r, const double* origin, const Cell& cell) {
  Vec3 s = cell.fractional(difference(r, origin));
  for (int d = 0; d < 3; ++d) s[d] = cell.pbc()[d] ? std::floor(s[d]) : 0.0;
  return s;
}

// One site through the frames of a block.
class Walker {
 public:
  Walker(View3<double> sites, const std::vector<Cell>& cells, View2<const double> origins, bool images_known)
      : sites_(sites), cells_(cells), origins_(origins), images_known_(images_known) {}

  LongestStep walk(std::size_t site, const Cell& old_cell, const Vec3& old_origin, std::size_t first_frame,
                   double* lattice, double* unwrapped) const {
    LongestStep longest;
    const Cell* before_cell = &old_cell;
    const double* before_origin = old_origin.data();
    for (std::size_t frame = first_frame; frame < sites_.extent(0); ++frame) {
      double* r = &sites_(frame, site, 0);
      const Cell& cell = cells_[frame];
      const Vec3 step = step_between(lattice, before_origin, *before_cell, r, &origins_(frame, 0), cell);
      if (!images_known_) keep_longest(longest, {largest_periodic(cell.fractional(step), cell.pbc()), frame, site, site});
      for (int d = 0; d < 3; ++d) {
        lattice[d] = r[d];
        unwrapped[d] += step[d];
        r[d] = unwrapped[d];
      }
      before_cell = &cell;
      before_origin = &origins_(frame, 0);
    }
    return longest;
  }

 private:
  Vec3 step_between(const double* before, const double* before_origin, const Cell& before_cell, const double* r,
                    const double* origin, const Cell& cell) const {
    const Vec3 old_image = image_of(before, before_origin, before_cell), image = image_of(r, origin, cell);
    const Vec3 old_shift = before_cell.cartesian(old_image), shift = cell.cartesian(image);
    Vec3 step{};
    for (int d = 0; d < 3; ++d) step[d] = (r[d] - shift[d]) - (before[d] - old_shift[d]);
    if (!images_known_) return cell.wrap_displacement(step);
    const Vec3 crossed = cell.cartesian({image[0] - old_image[0], image[1] - old_image[1], image[2] - old_image[2]});
    for (int d = 0; d < 3; ++d) step[d] += crossed[d];
    return step;
  }

  View3<double> sites_;
  const std::vector<Cell>& cells_;
  View2<const double> origins_;
  bool images_known_;
};

}  // namespace

BondTree make_bond_tree(View2<const std::int64_t> bonds, std::size_t n_atoms) {
  std::vector<std::vector<std::int32_t>> neighbors(n_atoms);
  for (std::size_t k = 0; k < bonds.extent(0); ++k) {
    const auto a = bonds(k, 0), b = bonds(k, 1);
    require(a >= 0 && b >= 0 && static_cast<std::size_t>(a) < n_atoms && static_cast<std::size_t>(b) < n_atoms,
            "bond ", k, " joins atoms ", a, " and ", b, " of ", n_atoms);
    neighbors[a].push_back(static_cast<std::int32_t>(b));
    neighbors[b].push_back(static_cast<std::int32_t>(a));
  }
  BondTree tree;
  std::vector<std::int32_t> parent(n_atoms, -2), queue;
  for (std::size_t root = 0; root < n_atoms; ++root) {
    if (parent[root] != -2) continue;
    parent[root] = -1;
    queue.assign(1, static_cast<std::int32_t>(root));
    for (std::size_t next = 0; next < queue.size(); ++next) {
      const auto atom = queue[next];
      for (const auto other : neighbors[atom]) {
        if (parent[other] == -2) {
          parent[other] = atom;
          tree.children.push_back(other);
          tree.parents.push_back(atom);
          queue.push_back(other);
        } else if (other > atom && parent[other] != atom && parent[atom] != other) {
          tree.ring_bonds.push_back(atom);
          tree.ring_bonds.push_back(other);
        }
      }
    }
  }
  return tree;
}

LongestStep make_whole(View3<double> positions, const std::vector<Cell>& cells, const BondTree& tree, int n_threads) {
  const std::size_t n_frames = positions.extent(0), stride = 3 * positions.extent(1);
  std::vector<LongestStep> longest(n_frames);
  parallel_for(n_frames, n_threads, [&](std::size_t frame, int) {
    longest[frame] = make_frame_whole(positions.data() + frame * stride, cells[frame], tree, frame);
  });
  LongestStep total;
  for (const auto& step : longest) keep_longest(total, step);
  return total;
}

void molecule_centers(View3<const double> positions, View1<const std::int64_t> molecules, View1<const double> weights,
                      View3<double> centers, int n_threads) {
  const std::size_t n_atoms = positions.extent(1), n_molecules = centers.extent(1);
  for (std::size_t i = 0; i < n_atoms; ++i)
    require(molecules(i) >= 0 && static_cast<std::size_t>(molecules(i)) < n_molecules, "molecule of atom ", i, " is ",
            molecules(i), " of ", n_molecules);
  parallel_for(positions.extent(0), n_threads, [&](std::size_t frame, int) {
    const double* r = positions.data() + frame * 3 * n_atoms;
    double* center = centers.data() + frame * 3 * n_molecules;
    std::fill(center, center + 3 * n_molecules, 0.0);
    for (std::size_t i = 0; i < n_atoms; ++i)
      for (int d = 0; d < 3; ++d) center[3 * molecules(i) + d] += weights(i) * r[3 * i + d];
  });
}

LongestStep walk_toroidally(View3<double> sites, const std::vector<Cell>& cells, View2<const double> origins,
                            bool images_known, WalkState& state, int n_threads) {
  const std::size_t n_frames = sites.extent(0), n_sites = sites.extent(1);
  if (n_frames == 0) return {};
  const auto origin_of = [&](std::size_t frame) { return Vec3{origins(frame, 0), origins(frame, 1), origins(frame, 2)}; };
  const std::size_t first_frame = state.started ? 0 : 1;
  if (!state.started) {
    state.lattice.assign(sites.data(), sites.data() + 3 * n_sites);
    state.unwrapped = state.lattice;
    state.cell = cells[0].rows();
    state.origin = origin_of(0);
    state.started = true;
  }
  require(state.lattice.size() == 3 * n_sites, "the walk has ", state.lattice.size() / 3, " sites, got ", n_sites);
  // Each site walks alone, so blocks of sites are independent tasks.
  constexpr std::size_t block_size = 512;
  const std::size_t n_blocks = (n_sites + block_size - 1) / block_size;
  std::vector<LongestStep> longest(n_blocks);
  const Cell old_cell(state.cell, cells[0].pbc());
  const Walker walker(sites, cells, origins, images_known);
  parallel_for(n_blocks, n_threads, [&](std::size_t block, int) {
    for (std::size_t i = block * block_size; i < std::min(n_sites, (block + 1) * block_size); ++i)
      keep_longest(longest[block],
                   walker.walk(i, old_cell, state.origin, first_frame, &state.lattice[3 * i], &state.unwrapped[3 * i]));
  });
  state.cell = cells[n_frames - 1].rows();
  state.origin = origin_of(n_frames - 1);
  LongestStep total;
  for (const auto& step : longest) keep_longest(total, step);
  return total;
}

}  // namespace polypace::trajectory
