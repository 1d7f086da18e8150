// Reverse pass of the kernels: from ∂E/∂ρ to the gradient of every pair. Part of kernel_body.hpp.

// s_lm = Σ_columns adjoint · R and t_lm = Σ adjoint · dR/dr for the harmonics of one l.
template <int size>
inline void contract(const Block& block, const double* record, const GroupView& group, Vec* s, Vec* t) {
  constexpr int l2 = (size - 1) / 2 * ((size - 1) / 2);
  Vec values[size] = {}, derivatives[size] = {};
  for (int i = 0; i < group.n; ++i) {
    const Vec r = load(record + block.columns_offset + group.columns[i] * width);
    const Vec dr = load(record + block.derivatives_offset + group.columns[i] * width);
    const double* adjoint = block.adjoints + group.slots[i] * width;
    for (int c = 0; c < size; ++c) {
      const Vec a = load(adjoint + c * width);
      values[c] += a * r;
      derivatives[c] += a * dr;
    }
  }
  for (int c = 0; c < size; ++c) {
    s[l2 + c] = values[c];
    t[l2 + c] = derivatives[c];
  }
}

inline void contract_any(const Block& block, const double* record, const GroupView& group, Vec* s, Vec* t) {
  for (int c = 0; c < 2 * group.l + 1; ++c) {
    Vec value{}, derivative{};
    for (int i = 0; i < group.n; ++i) {
      const Vec a = load(block.adjoints + (group.slots[i] + c) * width);
      value += a * load(record + block.columns_offset + group.columns[i] * width);
      derivative += a * load(record + block.derivatives_offset + group.columns[i] * width);
    }
    s[group.l * group.l + c] = value;
    t[group.l * group.l + c] = derivative;
  }
}

inline void contract_columns(const NeighborView& neighbor, const Block& block, const double* record, Vec* s, Vec* t) {
  if (neighbor.n_groups <= neighbor.l_max)  // some l has no columns
    for (int lm = 0; lm < (neighbor.l_max + 1) * (neighbor.l_max + 1); ++lm) s[lm] = t[lm] = Vec{};
  for (int g = 0; g < neighbor.n_groups; ++g) {
    const GroupView& group = neighbor.groups[g];
    switch (group.l) {
      case 0: contract<1>(block, record, group, s, t); break;
      case 1: contract<3>(block, record, group, s, t); break;
      case 2: contract<5>(block, record, group, s, t); break;
      case 3: contract<7>(block, record, group, s, t); break;
      case 4: contract<9>(block, record, group, s, t); break;
      default: contract_any(block, record, group, s, t);
    }
  }
}

struct Gradient {
  Vec x, y, z;
};

// ∂/∂(x, y, z) of Σ_lm s_lm Y_lm with x, y, z taken as independent: the sum over l first, then over m.
template <int known_l>
inline Gradient harmonic_gradient(const ProgramView& program, int any_l, Vec x, Vec y, Vec z, const Vec* s) {
  constexpr int room = known_l >= 0 ? known_l : largest_l;
  const int l_max = known_l >= 0 ? known_l : any_l;
  Vec p[(room + 1) * (room + 2) / 2], dp[(room + 1) * (room + 2) / 2], re[room + 1], im[room + 1];
  legendre<true>(program, l_max, z, p, dp);
  powers(l_max, x, y, re, im);
  Gradient g{};
  POLYPACE_UNROLL
  for (int l = 1; l <= l_max; ++l) g.z += s[l * l] * dp[l * (l + 1) / 2];
  POLYPACE_UNROLL
  for (int m = 1; m <= l_max; ++m) {
    Vec u_re{}, u_im{}, v_re{}, v_im{};
    POLYPACE_UNROLL
    for (int l = m; l <= l_max; ++l) {
      const int i = l * (l + 1) / 2 + m, j = l * l + 2 * m - 1;
      u_re += s[j] * p[i];
      u_im += s[j + 1] * p[i];
      v_re += s[j] * dp[i];
      v_im += s[j + 1] * dp[i];
    }
    g.x += double(m) * (u_re * re[m - 1] + u_im * im[m - 1]);
    g.y += double(m) * (u_im * re[m - 1] - u_re * im[m - 1]);
    g.z += v_re * re[m] + v_im * im[m];
  }
  return g;
}

// known_l: l_max at compile time, −1 for any.
template <int known_l>
inline void pair_gradient(const ProgramView& program, const NeighborView& neighbor, const Block& block, int row,
                          Vec core_weight) {
  constexpr int room = known_l >= 0 ? known_l : largest_l;
  const int l_max = known_l >= 0 ? known_l : neighbor.l_max;
  Vec s[(room + 1) * (room + 1)], t[(room + 1) * (room + 1)];
  const double* record = record_of(block, row);
  contract_columns(neighbor, block, record, s, t);
  const Vec x = load(record), y = load(record + width), z = load(record + 2 * width), inverse = load(record + 3 * width);
  Gradient g = harmonic_gradient<known_l>(program, l_max, x, y, z, s);
  Vec radial{};
  for (int lm = 0; lm < (l_max + 1) * (l_max + 1); ++lm)
    radial += t[lm] * load(record + block.harmonics_offset + lm * width);
  if (neighbor.core_column >= 0)
    radial += core_weight * load(record + block.derivatives_offset + neighbor.core_column * width);
  // Only the part of the angular gradient that is perpendicular to the bond is real.
  radial -= inverse * (x * g.x + y * g.y + z * g.z);
  alignas(64) double f[3][POLYPACE_WIDTH];
  store(f[0], radial * x + inverse * g.x);
  store(f[1], radial * y + inverse * g.y);
  store(f[2], radial * z + inverse * g.z);
  const std::int64_t* pairs = block.pairs + static_cast<std::int64_t>(row) * width;
  for (int lane = 0; lane < width; ++lane) {
    if (pairs[lane] < 0) continue;
    double* target = block.pair_gradients + 3 * pairs[lane];
    for (int d = 0; d < 3; ++d) target[d] = f[d][lane];
  }
}

template <int known_l>
void pair_gradients(const ProgramView& program, const NeighborView& neighbor, const Block& block, int begin, int end) {
  const Vec core_weight = load(block.core_weights);
  for (int row = begin; row < end; ++row) pair_gradient<known_l>(program, neighbor, block, row, core_weight);
}

void backward(const ProgramView& program, const Block& block) {
  if (program.n_densities > 1) gather_weighted(program, block);
  for (int b = program.n_blocks - 1; b >= 0; --b)
    couple_backward(program.tables[program.blocks[b].table], program.blocks[b], block);
  // With one density the adjoints so far are those of ρ, and all steps are linear.
  const Vec weight = load(block.density_weights);
  for (int slot = 0; program.n_densities == 1 && slot < program.n_leaf_slots; ++slot)
    store(block.adjoints + slot * width, weight * load(block.adjoints + slot * width));
  int begin = 0;
  for (int species = 0; species < program.n_species; ++species) {
    const NeighborView& neighbor = program.neighbors[species];
    const int end = block.segment_ends[species];
    switch (neighbor.l_max) {
      case 0: pair_gradients<0>(program, neighbor, block, begin, end); break;
      case 1: pair_gradients<1>(program, neighbor, block, begin, end); break;
      case 2: pair_gradients<2>(program, neighbor, block, begin, end); break;
      case 3: pair_gradients<3>(program, neighbor, block, begin, end); break;
      case 4: pair_gradients<4>(program, neighbor, block, begin, end); break;
      case 5: pair_gradients<5>(program, neighbor, block, begin, end); break;
      default: pair_gradients<-1>(program, neighbor, block, begin, end);
    }
    begin = end;
  }
}
