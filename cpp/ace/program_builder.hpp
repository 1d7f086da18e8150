// What compiling the two forms of a potential shares: the atomic basis, tables without duplicates, slots.
#pragma once

#include <map>
#include <tuple>

#include "ace/program.hpp"

namespace polypace::ace {

class ProgramBuilder {
 public:
  ProgramBuilder(const PotentialHeader& header, int mu0);

  // Leaf of A_{mu n l}, or of the rank-1 sum of g_k; equal requests are one leaf. Returns a leaf number.
  int radial_leaf(int mu, int n, int l);
  int basis_leaf(int mu, int k);
  int leaf_momentum(int leaf) const { return leaves_[leaf].l; }

  // After all leaves are known: gives every leaf its slots. Leaves may not be added afterwards.
  void place_leaves();
  int leaf_slot(int leaf) const { return leaves_[leaf].slot; }

  int add_table(CouplingTable table);
  int allocate(int n_slots);
  Program finish(double spacing);

  Program program;

 private:
  struct Leaf {
    int mu, column, l, slot;
  };
  int leaf(int mu, int column, int l);
  const NeighborProgram& neighbor(int mu) const;

  const PotentialHeader& header_;
  int mu0_;
  std::vector<Leaf> leaves_;
  std::map<std::tuple<int, int, int>, int> known_;
};

}  // namespace polypace::ace
