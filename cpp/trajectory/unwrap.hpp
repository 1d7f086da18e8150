// Whole molecules from bonds, and paths that are continuous in time although the box fluctuates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/cell.hpp"
#include "base/view.hpp"

namespace polypace::trajectory {

// Every atom but the first of each molecule hangs on a bonded atom that comes before it; bonds that are not in the
// tree close rings.
struct BondTree {
  std::vector<std::int32_t> children, parents;  // in the order in which to place them
  std::vector<std::int32_t> ring_bonds;         // pairs
};

BondTree make_bond_tree(View2<const std::int64_t> bonds, std::size_t n_atoms);

// The step or bond that is too long to have one meaning: its largest component along a cell vector, as a fraction of
// that vector. `second` is the bonded atom, or the site itself.
struct LongestStep {
  double fraction = 0;
  std::size_t frame = 0, first = 0, second = 0;
};

// positions (n_frames, n_atoms, 3): places every bonded atom at the image nearest to its parent.
// A ring that does not close (a molecule bonded to its own image) counts as a step of fraction 1.
LongestStep make_whole(View3<double> positions, const std::vector<Cell>& cells, const BondTree& tree, int n_threads);

// centers (n_frames, n_molecules, 3): weighted mean of each molecule's atoms. weights sum to 1 in each molecule.
void molecule_centers(View3<const double> positions, View1<const std::int64_t> molecules, View1<const double> weights,
                      View3<double> centers, int n_threads);

// Where the walk stands after the last frame that was given.
struct WalkState {
  bool started = false;
  std::array<Vec3, 3> cell{};
  Vec3 origin{};
  std::vector<double> lattice;   // (n_sites, 3) position as given
  std::vector<double> unwrapped;  // (n_sites, 3)
};

// Toroidal-view-preserving unwrapping: u(t+1) = u(t) + w(t+1) − w(t) + Δn·h(t+1), with w the position wrapped into the
// cell of its own frame. `images_known`: sites (n_frames, n_sites, 3) are w + n·h, so Δn is exact; otherwise Δn takes
// the displacement to its nearest image. sites becomes u. (Bullerjahn, von Bülow, Heidari, Hénin & Hummer, J. Chem.
// Theory Comput. 19, 3406 (2023), eq. 8.)
LongestStep walk_toroidally(View3<double> sites, const std::vector<Cell>& cells, View2<const double> origins,
                            bool images_known, WalkState& state, int n_threads);

}  // namespace polypace::trajectory
