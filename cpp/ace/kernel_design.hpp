// Kernels of design rows: derivatives of every single function. Part of kernel_body.hpp.

void jacobian(const DesignView& design, const Block& block, double* entries) {
  for (int f = 0; f < design.n_functions; ++f) {
    const FunctionView& function = design.functions[f];
    // The locals behind the entries reach into the room of the next function, which clears them.
    double* locals = entries + static_cast<std::int64_t>(function.first_entry) * width;
    for (int i = 0; i < function.n_locals; ++i) store(locals + i * width, Vec{});
    for (int s = function.first_seed; s < function.last_seed; ++s) {
      const SeedView& seed = design.seeds[s];
      double* target = locals + seed.local * width;
      for (int c = 0; c < seed.size * width; c += width)
        store(target + c, load(target + c) + seed.scale * load(block.slots + seed.slot * width + c));
    }
    for (int r = function.first_reverse; r < function.last_reverse; ++r) {
      const ReverseView& reverse = design.reverses[r];
      const TableView& table = design.tables[reverse.table];
      const double *left = block.slots + reverse.left * width, *right = block.slots + reverse.right * width;
      const double* outputs = locals + reverse.output_local * width;
      double *d_left = locals + reverse.left_local * width, *d_right = locals + reverse.right_local * width;
      for (int p = 0; p < table.n_products; ++p) {
        Vec sum{};
        for (int t = table.product_begin[p]; t < table.product_begin[p + 1]; ++t)
          sum += table.product_weight[t] * load(outputs + table.product_output[t] * width);
        const int i = table.left[p] * width, j = table.right[p] * width;
        store(d_left + i, load(d_left + i) + sum * load(right + j));
        store(d_right + j, load(d_right + j) + sum * load(left + i));
      }
    }
  }
}

// Slots of the leaves of one neighbour species: [begin, end).
inline void leaf_range(const NeighborView& neighbor, int& begin, int& end) {
  begin = end = 0;
  if (neighbor.n_groups == 0) return;
  const GroupView &first = neighbor.groups[0], &last = neighbor.groups[neighbor.n_groups - 1];
  begin = first.slots[0];
  end = last.slots[last.n - 1] + 2 * last.l + 1;
}

// Tangential gradients (∇Y − r̂ (r̂·∇Y))/r of all harmonics: tangents[lm] = x, y, z.
inline void harmonic_tangents(const ProgramView& program, int l_max, const double* record, Gradient* tangents) {
  Vec p[n_legendre], dp[n_legendre], re[largest_l + 1], im[largest_l + 1];
  const Vec x = load(record), y = load(record + width), z = load(record + 2 * width), inverse = load(record + 3 * width);
  legendre<true>(program, l_max, z, p, dp);
  powers(l_max, x, y, re, im);
  const auto project = [&](Vec gx, Vec gy, Vec gz) {
    const Vec along = x * gx + y * gy + z * gz;
    return Gradient{inverse * (gx - along * x), inverse * (gy - along * y), inverse * (gz - along * z)};
  };
  for (int l = 0; l <= l_max; ++l) {
    const int i = l * (l + 1) / 2;
    tangents[l * l] = project(Vec{}, Vec{}, dp[i]);
    for (int m = 1; m <= l; ++m) {
      const Vec q = double(m) * p[i + m];
      tangents[l * l + 2 * m - 1] = project(q * re[m - 1], -q * im[m - 1], dp[i + m] * re[m]);
      tangents[l * l + 2 * m] = project(q * im[m - 1], q * re[m - 1], dp[i + m] * im[m]);
    }
  }
}

void leaf_gradients(const ProgramView& program, const Block& block, int row, int species, double* gradients) {
  const NeighborView& neighbor = program.neighbors[species];
  const double* record = record_of(block, row);
  const int rows = (program.n_leaf_slots + width) * width;  // doubles per direction
  Gradient tangents[n_harmonics];
  harmonic_tangents(program, neighbor.l_max, record, tangents);
  const Vec x = load(record), y = load(record + width), z = load(record + 2 * width);
  for (int g = 0; g < neighbor.n_groups; ++g) {
    const GroupView& group = neighbor.groups[g];
    for (int i = 0; i < group.n; ++i) {
      const Vec r = load(record + block.columns_offset + group.columns[i] * width);
      const Vec dr = load(record + block.derivatives_offset + group.columns[i] * width);
      for (int c = 0; c < 2 * group.l + 1; ++c) {
        const int lm = group.l * group.l + c;
        const Vec along = dr * load(record + block.harmonics_offset + lm * width);
        double* target = gradients + (group.slots[i] + c) * width;
        store(target, along * x + r * tangents[lm].x);
        store(target + rows, along * y + r * tangents[lm].y);
        store(target + 2 * rows, along * z + r * tangents[lm].z);
      }
    }
  }
  int begin, end;
  leaf_range(neighbor, begin, end);
  for (int d = 0; d < 3; ++d)
    for (int slot = end; slot < end + width; ++slot) store(gradients + d * rows + slot * width, Vec{});
}

void spread(const ProgramView& program, const Block& block, int row, int species, const double* gradients,
            double* const* lane_rows, int stride, double* sums) {
  int begin, end;
  leaf_range(program.neighbors[species], begin, end);
  const int rows = (program.n_leaf_slots + width) * width;
  const double* displacement = block.displacements + static_cast<std::int64_t>(row) * 3 * width;
  const Vec r[3] = {load(displacement), load(displacement + width), load(displacement + 2 * width)};
  for (int slot = begin; slot < end; ++slot) {
    const double* g = gradients + slot * width;
    double* sum = sums + slot * width;
    const Vec gx = load(g), gy = load(g + rows), gz = load(g + 2 * rows);
    const Vec parts[9] = {gx, gy, gz, r[0] * gx, r[1] * gy, r[2] * gz, r[0] * gy, r[0] * gz, r[1] * gz};
    for (int d = 0; d < 9; ++d) store(sum + d * rows, load(sum + d * rows) + parts[d]);
  }
  for (int d = 0; d < 3; ++d)
    for (int slot = begin; slot < end; slot += width) {
      Vec values[POLYPACE_WIDTH];
      for (int i = 0; i < width; ++i) values[i] = load(gradients + d * rows + (slot + i) * width);
      transpose(values);
      for (int lane = 0; lane < width; ++lane) {
        if (!lane_rows[lane]) continue;
        LooseVec* target = reinterpret_cast<LooseVec*>(lane_rows[lane] + d * stride + slot);
        *target = *target - values[lane];
      }
    }
}

void unlane(const double* values, int n, double* const* rows) {
  for (int begin = 0; begin < n; begin += width) {
    Vec part[POLYPACE_WIDTH];
    for (int i = 0; i < width; ++i) part[i] = begin + i < n ? load(values + (begin + i) * width) : Vec{};
    transpose(part);
    for (int lane = 0; lane < width; ++lane) {
      if (!rows[lane]) continue;
      LooseVec* target = reinterpret_cast<LooseVec*>(rows[lane] + begin);
      *target = *target + part[lane];
    }
  }
}

template <int n_vectors>
inline void contract_tile(const DesignView& design, const double* entries, int lane, const double* leaves,
                             int n_columns, int column, double* matrix) {
  for (int f = 0; f < design.n_functions; ++f) {
    const FunctionView& function = design.functions[f];
    Vec sums[n_vectors] = {};
    for (int e = function.first_entry; e < function.first_entry + function.n_entries; ++e) {
      const double entry = entries[static_cast<std::int64_t>(e) * width + lane];
      const double* leaf = leaves + static_cast<std::int64_t>(design.entry_slots[e]) * n_columns + column;
      for (int v = 0; v < n_vectors; ++v) sums[v] += entry * load(leaf + v * width);
    }
    double* target = matrix + static_cast<std::int64_t>(f) * n_columns + column;
    for (int v = 0; v < n_vectors; ++v) store(target + v * width, load(target + v * width) + sums[v]);
  }
}

void contract_design(const DesignView& design, const double* entries, int lane, const double* leaves, int n_columns,
                     double* matrix) {
  using Tile = void (*)(const DesignView&, const double*, int, const double*, int, int, double*);
  constexpr Tile tiles[] = {contract_tile<1>, contract_tile<2>, contract_tile<3>, contract_tile<4>,
                            contract_tile<5>, contract_tile<6>, contract_tile<7>, contract_tile<8>};
  for (int column = 0; column < n_columns; column += 8 * width) {
    const int left = (n_columns - column) / width;
    tiles[(left < 8 ? left : 8) - 1](design, entries, lane, leaves, n_columns, column, matrix);
  }
}

void transpose_matrix(const double* from, int n_rows, int from_stride, int n_columns, double* to, int to_stride) {
  for (int i = 0; i < n_rows; i += width)
    for (int j = 0; j < n_columns; j += width) {
      Vec part[POLYPACE_WIDTH];
      const bool inside = i + width <= n_rows && j + width <= n_columns;
      if (!inside) {
        for (int a = i; a < n_rows && a < i + width; ++a)
          for (int b = j; b < n_columns && b < j + width; ++b)
            to[static_cast<std::int64_t>(b) * to_stride + a] = from[static_cast<std::int64_t>(a) * from_stride + b];
        continue;
      }
      for (int a = 0; a < width; ++a) part[a] = load_loose(from + static_cast<std::int64_t>(i + a) * from_stride + j);
      transpose(part);
      for (int b = 0; b < width; ++b)
        *reinterpret_cast<LooseVec*>(to + static_cast<std::int64_t>(j + b) * to_stride + i) = part[b];
    }
}
