// Coupling of two real multiplets to angular momentum L, as a sparse bilinear map.
//
// A multiplet of momentum l holds 2l+1 real numbers: a_0, then √2 Re a_m, √2 Im a_m for m = 1 … l, where
// a_{−m} = parity · (−1)^m conj(a_m). Atomic bases have parity +1; coupling l1, l2 to L gives
// parity1 · parity2 · (−1)^(l1+l2−L). For parity −1 the number kept for m = 0 is Im a_0 (the real part vanishes).
#pragma once

#include <vector>

namespace polypace::ace {

// outputs = Σ weight · left · right. The products left[i]·right[j] that occur are formed once.
struct CouplingTable {
  int n_left = 0, n_right = 0, n_outputs = 0;
  std::vector<int> left, right;                      // per product
  std::vector<int> output_begin, output_product;     // per output: which products …
  std::vector<double> output_weight;                 // … with which weights
  std::vector<int> product_begin, product_output;    // the same, transposed
  std::vector<double> product_weight;
  // The part that concerns outputs begin … begin + size − 1, renumbered from 0.
  CouplingTable restricted_to(int begin, int size) const;
  int n_products() const { return static_cast<int>(left.size()); }
};

struct Momentum {
  int l = 0, parity = 1;
  bool operator<(const Momentum& other) const { return l != other.l ? l < other.l : parity < other.parity; }
};

// All of `totals` concatenated. `same`: both operands are the same multiplet, products i ≤ j only.
CouplingTable couple_real(Momentum left, Momentum right, bool same, const std::vector<int>& totals);

// Complex product of two numbers (Re, Im), each conjugated where asked; an operand of size 1 is real.
CouplingTable multiply_complex(int left_size, bool conjugate_left, int right_size, bool conjugate_right);

}  // namespace polypace::ace
