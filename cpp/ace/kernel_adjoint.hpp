// ∂ρ/∂x for all slots x that occur in terms: adjoint = Σ over the terms of a multiplet of coefficient · partner.
// Gathering, so that nothing is stored but the result. Part of kernel_body.hpp.

// One density: the adjoints of ρ itself; returns ρ = ½ Σ x · ∂ρ/∂x, because every term is bilinear.
template <int size>
inline Vec gather_multiplet(const ProgramView& program, const Block& block, const UserView& user) {
  Vec sums[size] = {};
  for (int u = user.first_use; u < user.last_use; ++u) {
    const double coefficient = program.use_coefficients[u];
    const double* partner = block.slots + program.uses[u].partner * width;
    for (int c = 0; c < size; ++c) sums[c] += coefficient * load(partner + c * width);
  }
  Vec density{};
  for (int c = 0; c < size; ++c) {
    store(block.adjoints + (user.slot + c) * width, sums[c]);
    density += sums[c] * load(block.slots + (user.slot + c) * width);
  }
  return density;
}

inline Vec gather_any(const ProgramView& program, const Block& block, UserView user) {
  Vec density{};
  for (int c = 0; c < user.size; ++c) {
    Vec sum{};
    for (int u = user.first_use; u < user.last_use; ++u)
      sum += program.use_coefficients[u] * load(block.slots + (program.uses[u].partner + c) * width);
    store(block.adjoints + (user.slot + c) * width, sum);
    density += sum * load(block.slots + (user.slot + c) * width);
  }
  return density;
}

inline void clear_unused(const ProgramView& program, const Block& block) {
  for (int i = 0; i < program.n_unused; ++i) store(block.adjoints + program.unused_slots[i] * width, Vec{});
}

inline Vec gather_linear(const ProgramView& program, const Block& block) {
  clear_unused(program, block);
  Vec density{};
  for (int i = 0; i < program.n_users; ++i) {
    const UserView& user = program.users[i];
    switch (user.size) {
      case 1: density += gather_multiplet<1>(program, block, user); break;
      case 2: density += gather_multiplet<2>(program, block, user); break;
      case 3: density += gather_multiplet<3>(program, block, user); break;
      case 5: density += gather_multiplet<5>(program, block, user); break;
      case 7: density += gather_multiplet<7>(program, block, user); break;
      case 9: density += gather_multiplet<9>(program, block, user); break;
      default: density += gather_any(program, block, user);
    }
  }
  return 0.5 * density;
}

// Several densities: the adjoints of E, once ∂E/∂ρ_p is known.
inline void gather_weighted(const ProgramView& program, const Block& block) {
  clear_unused(program, block);
  const int n_densities = program.n_densities;
  for (int i = 0; i < program.n_users; ++i) {
    const UserView& user = program.users[i];
    double* adjoint = block.adjoints + user.slot * width;
    for (int c = 0; c < user.size; ++c) store(adjoint + c * width, Vec{});
    for (int u = user.first_use; u < user.last_use; ++u) {
      Vec weight{};
      for (int p = 0; p < n_densities; ++p)
        weight += program.use_coefficients[u * n_densities + p] * load(block.density_weights + p * width);
      const double* partner = block.slots + program.uses[u].partner * width;
      for (int c = 0; c < user.size * width; c += width)
        store(adjoint + c, load(adjoint + c) + weight * load(partner + c));
    }
  }
}
