// From B-functions as written to explicit sums over m: generalised Clebsch–Gordan coefficients, half lists,
// compression and the C-tilde form.
#pragma once

#include <utility>
#include <vector>

#include "ace/clebsch_gordan.hpp"
#include "ace/potential.hpp"

namespace polypace::ace {

// Which momenta are coupled in which order: numbers below `rank` are factors, the c-th coupling makes number rank + c.
std::vector<std::pair<int, int>> coupling_tree(int rank);

// One coupling of two momenta to a third in a function's coupling tree.
struct MomentumCoupling {
  int l_left, l_right, l_result;
};

// The couplings of the tree in order of creation, the last one to L = 0. `lint` must have rank − 2 entries.
std::vector<MomentumCoupling> couplings_of(const BasisFunction& function);

// The half list of m-vectors of one function with the factors as given (before compression).
// Source: coupling tree and half sum of docs/explanation/ace.md.
CoupledFunction couple(const BasisFunction& function);
CoupledFunction couple(const BasisFunction& function, ClebschGordanTables& tables);  // for many: shares coefficients

// Equal factors merged, as pacemaker stores it; replaces the function only where the list became shorter.
CoupledFunction compress(const CoupledFunction& function);

// Puts every species' functions into the canonical order of projections and of .asi rows.
void sort_canonically(BPotential& potential);

// compress(couple(f)) for every function of a species, in the potential's (canonical) order.
std::vector<CoupledFunction> coupled_functions(const BPotential& potential, int mu0);

// The same energies with one coefficient per m-vector (.yace).
CTildePotential to_ctilde(const BPotential& potential);

}  // namespace polypace::ace
