// Compiles a C-tilde basis: every m-vector is the real part of a product of atomic basis functions. Products are split
// in two halves, halves are shared, and m-vectors that are the same product become one term.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "ace/program_builder.hpp"
#include "base/errors.hpp"

namespace polypace::ace {
namespace {

struct Factor {
  int leaf, m;  // m < 0: the conjugate of the factor with |m|
  bool operator<(const Factor& other) const {
    return std::pair(leaf, m) < std::pair(other.leaf, other.m);
  }
  bool operator==(const Factor& other) const { return leaf == other.leaf && m == other.m; }
};
using Product = std::vector<Factor>;

// Where a product lies: real part at `slot`, imaginary part behind it if `size` is 2.
struct Place {
  int slot = 0, size = 1;
  bool conjugate = false;
};

class ProductCompiler {
 public:
  ProductCompiler(const CTildePotential& potential, int mu0)
      : potential_(potential), mu0_(mu0), builder_(potential, mu0) {}

  Program compile() {
    for (const auto& function : potential_.functions[mu0_]) collect(function);
    builder_.place_leaves();
    for (const auto& [product, coefficients] : products_) add_terms(product, coefficients);
    auto& program = builder_.program;
    for (const auto& [key, coefficients] : terms_) {
      const auto& [left, right, size] = key;
      program.terms.push_back({left, right, size, 1});
      program.coefficients.insert(program.coefficients.end(), coefficients.begin(), coefficients.end());
    }
    return builder_.finish(potential_.delta_spline_bins);
  }

 private:
  void collect(const CTildeFunction& f) {
    const std::size_t rank = f.mus.size(), n_densities = builder_.program.n_densities;
    require(rank >= 1, "a function must have rank 1 or more");
    require(f.ns.size() == rank && f.ls.size() == rank && f.ms.size() % rank == 0,
            "a function of rank ", rank, " must have as many mus, ns, ls, and ms in multiples of the rank");
    const std::size_t n_ms = f.ms.size() / rank;
    require(f.ctildes.size() == n_ms * n_densities, "a function of ", potential_.elements[mu0_], " must have ",
            n_ms * n_densities, " ctildes, got ", f.ctildes.size());
    for (std::size_t row = 0; row < n_ms; ++row) {
      Product product;
      double scale = 1;
      for (std::size_t t = 0; t < rank; ++t) {
        const int m = f.ms[row * rank + t];
        require(std::abs(m) <= f.ls[t], "m = ", m, " of a function exceeds its l = ", f.ls[t]);
        const int leaf = rank == 1 ? builder_.basis_leaf(f.mus[t], f.ns[t])
                                   : builder_.radial_leaf(f.mus[t], f.ns[t], f.ls[t]);
        product.push_back({leaf, m});
        // Leaves hold √2 times the real and imaginary part; A_−m = (−1)^m conj A_m.
        if (m != 0) scale *= (m < 0 && m % 2 ? -1 : 1) * std::sqrt(0.5);
      }
      std::sort(product.begin(), product.end());
      orient(product);
      auto& sum = products_.try_emplace(product, n_densities, 0.0).first->second;
      for (std::size_t p = 0; p < n_densities; ++p) sum[p] += scale * f.ctildes[row * n_densities + p];
    }
  }

  // A product and its conjugate are stored once. Returns whether it was conjugated.
  static bool orient(Product& product) {
    Product mirrored = product;
    for (auto& factor : mirrored) factor.m = -factor.m;
    std::sort(mirrored.begin(), mirrored.end());
    if (!(mirrored < product)) return false;
    product = std::move(mirrored);
    return true;
  }

  Place place(Product product) {
    if (product.size() == 1) {
      const int slot = builder_.leaf_slot(product[0].leaf), m = product[0].m;
      return m == 0 ? Place{slot, 1, false} : Place{slot + 2 * std::abs(m) - 1, 2, m < 0};
    }
    const bool conjugated = orient(product);
    auto found = places_.find(product);
    if (found == places_.end()) {
      const auto half = product.begin() + static_cast<std::ptrdiff_t>((product.size() + 1) / 2);
      const Place left = place(Product(product.begin(), half)), right = place(Product(half, product.end()));
      const int table = table_of(left, right), size = builder_.program.tables[table].n_outputs;
      const Place result{builder_.allocate(size), size, false};
      builder_.program.blocks.push_back({left.slot, right.slot, result.slot, table});
      found = places_.emplace(product, result).first;
    }
    Place result = found->second;
    result.conjugate = conjugated;
    return result;
  }

  int table_of(const Place& left, const Place& right) {
    const auto key = std::tuple(left.size, left.conjugate, right.size, right.conjugate);
    const auto [entry, added] = tables_.try_emplace(key, 0);
    if (added)
      entry->second = builder_.add_table(multiply_complex(left.size, left.conjugate, right.size, right.conjugate));
    return entry->second;
  }

  void add_terms(const Product& product, const std::vector<double>& coefficients) {
    if (product.size() == 1) {
      // A single A_{n00}; anything else has no invariant part, and Re A_{lm} is its first component.
      add_term(0, place(product).slot, 1, coefficients, 1);
      return;
    }
    const auto half = product.begin() + static_cast<std::ptrdiff_t>((product.size() + 1) / 2);
    const Place left = place(Product(product.begin(), half)), right = place(Product(half, product.end()));
    const int size = std::min(left.size, right.size);
    if (size == 1 || left.conjugate != right.conjugate) {
      add_term(left.slot, right.slot, size, coefficients, 1);
    } else {
      add_term(left.slot, right.slot, 1, coefficients, 1);
      add_term(left.slot + 1, right.slot + 1, 1, coefficients, -1);
    }
  }

  void add_term(int left, int right, int size, const std::vector<double>& coefficients, double sign) {
    auto& sum = terms_.try_emplace({left, right, size}, coefficients.size(), 0.0).first->second;
    for (std::size_t p = 0; p < coefficients.size(); ++p) sum[p] += sign * coefficients[p];
  }

  const CTildePotential& potential_;
  int mu0_;
  ProgramBuilder builder_;
  std::map<Product, std::vector<double>> products_;
  std::map<Product, Place> places_;
  std::map<std::tuple<int, bool, int, bool>, int> tables_;
  std::map<std::tuple<int, int, int>, std::vector<double>> terms_;
};

}  // namespace

Program compile(const CTildePotential& potential, int mu0) { return ProductCompiler(potential, mu0).compile(); }

}  // namespace polypace::ace
