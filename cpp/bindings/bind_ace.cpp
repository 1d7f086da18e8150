// The ACE evaluator: batches of structures in, arrays out.
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>

#include "ace/design_rows.hpp"
#include "ace/evaluator.hpp"
#include "ace/structures.hpp"
#include "bindings/bind.hpp"
#include "bindings/numpy_view.hpp"

namespace polypace::bindings {
namespace {

using namespace ace;

RadialEvaluation radial_from(const std::string& name) {
  require(name == "spline" || name == "analytic", "radial must be 'spline' or 'analytic', got '", name, "'");
  return name == "spline" ? RadialEvaluation::spline : RadialEvaluation::analytic;
}

Instructions instructions_from(const std::string& name) {
  if (name == "best") return Instructions::best;
  if (name == "portable") return Instructions::portable;
  if (name == "avx2") return Instructions::avx2;
  require(name == "avx512", "instructions must be 'best', 'portable', 'avx2' or 'avx512', got '", name, "'");
  return Instructions::avx512;
}

// What Python calls an Evaluator: it keeps its scratch memory between calls.
struct KeptEvaluator {
  Evaluator evaluator;
  mutable StructureWorkspaces workspaces;
};

template <class Potential>
KeptEvaluator make_evaluator(const Potential& potential, const std::string& radial, const std::string& instructions) {
  py::gil_scoped_release release;
  KeptEvaluator kept{Evaluator(potential, radial_from(radial)), {}};
  kept.evaluator.use_instructions(instructions_from(instructions));
  return kept;
}

// Structures of one call: `atoms_per_structure`, then everything concatenated.
struct Batch {
  Structures structures;
  Batch(const Array<std::int64_t>& counts, const Array<double>& positions, const Array<int>& species,
        const Array<double>& cells, const Array<bool>& pbc) {
    const auto n = view1(counts, "counts");
    const auto h = view3(cells, "cells");
    const auto periodic = view2(pbc, "pbc", 3);
    require(h.extent(0) == n.extent(0) && h.extent(1) == 3 && h.extent(2) == 3 && periodic.extent(0) == n.extent(0),
            "cells and pbc must have one entry per structure");
    for (std::size_t s = 0; s < n.extent(0); ++s) {
      require(n(s) >= 0, "counts must not be negative, got ", n(s));
      std::array<Vec3, 3> rows{};
      for (int i = 0; i < 3; ++i)
        for (int d = 0; d < 3; ++d) rows[i][d] = h(s, i, d);
      structures.cells.emplace_back(rows, std::array<bool, 3>{periodic(s, 0), periodic(s, 1), periodic(s, 2)});
      structures.offsets.push_back(structures.offsets.back() + n(s));
    }
    const auto r = view2(positions, "positions", 3);
    const auto mu = view1(species, "species");
    require(r.extent(0) == structures.n_atoms() && mu.extent(0) == structures.n_atoms(),
            "positions and species must have one row per atom, ", structures.n_atoms());
    structures.positions = r.data();
    structures.species = mu.data();
  }
  py::ssize_t n_atoms() const { return static_cast<py::ssize_t>(structures.n_atoms()); }
  py::ssize_t n_structures() const { return static_cast<py::ssize_t>(structures.n_structures()); }
};

py::tuple evaluate(const KeptEvaluator& kept, const Array<std::int64_t>& counts, const Array<double>& positions,
                   const Array<int>& species, const Array<double>& cells, const Array<bool>& pbc, int n_threads) {
  const Batch batch(counts, positions, species, cells, pbc);
  const Evaluator& evaluator = kept.evaluator;
  const py::ssize_t n = batch.n_atoms(), n_structures = batch.n_structures();
  std::vector<double> energies(n), forces(3 * n), virials(6 * n_structures), core_factors(n);
  std::vector<double> gammas(evaluator.has_active_set() ? n : 0);
  StructureOutputs outputs;
  outputs.energies = energies.data();
  outputs.forces = forces.data();
  outputs.virials = virials.data();
  outputs.core_factors = core_factors.data();
  if (evaluator.has_active_set()) outputs.gammas = gammas.data();
  if (n > 0) {  // without atoms there is no address to write to
    py::gil_scoped_release release;
    evaluate_structures(evaluator, batch.structures, outputs, n_threads, kept.workspaces);
  }
  const auto n_gammas = static_cast<py::ssize_t>(gammas.size());
  return py::make_tuple(to_numpy(std::move(energies), {n}), to_numpy(std::move(forces), {n, 3}),
                        to_numpy(std::move(virials), {n_structures, 6}), to_numpy(std::move(gammas), {n_gammas}),
                        to_numpy(std::move(core_factors), {n}));
}

// Every value is written, by the thread that works it out: memory that is cleared first would be touched by one.
template <double* StructureOutputs::*wanted>
py::array_t<double> evaluate_one(const KeptEvaluator& kept, const Batch& batch, std::vector<py::ssize_t> shape,
                                 int n_threads) {
  py::array_t<double> values(std::move(shape));
  StructureOutputs outputs;
  outputs.*wanted = values.mutable_data();
  {
    py::gil_scoped_release release;
    evaluate_structures(kept.evaluator, batch.structures, outputs, n_threads, kept.workspaces);
  }
  return values;
}

py::array_t<double> project(const KeptEvaluator& kept, const Array<std::int64_t>& counts,
                            const Array<double>& positions, const Array<int>& species, const Array<double>& cells,
                            const Array<bool>& pbc, int n_threads) {
  const Batch batch(counts, positions, species, cells, pbc);
  const int n = kept.evaluator.max_projections();
  return evaluate_one<&StructureOutputs::projections>(kept, batch, {batch.n_atoms(), n}, n_threads);
}

py::array_t<double> grade(const KeptEvaluator& kept, const Array<std::int64_t>& counts,
                          const Array<double>& positions, const Array<int>& species, const Array<double>& cells,
                          const Array<bool>& pbc, int n_threads) {
  const Batch batch(counts, positions, species, cells, pbc);
  return evaluate_one<&StructureOutputs::gammas>(kept, batch, {batch.n_atoms()}, n_threads);
}

// Energies, pair gradients and grades of environments that the caller found.
py::tuple evaluate_environments(const KeptEvaluator& kept, const Array<std::int64_t>& offsets, const Array<int>& species,
                                const Array<double>& displacements, const Array<int>& neighbor_species,
                                int n_threads) {
  const Evaluator& evaluator = kept.evaluator;
  const auto ends = view1(offsets, "offsets");
  const auto centers = view1(species, "species");
  const auto r = view2(displacements, "displacements", 3);
  const auto others = view1(neighbor_species, "neighbor_species");
  const std::size_t n = centers.extent(0), n_pairs = r.extent(0), n_species = evaluator.header().elements.size();
  require(ends.extent(0) == n + 1 && ends(0) == 0 && static_cast<std::size_t>(ends(n)) == n_pairs,
          "offsets must have one entry more than species and go from 0 to the number of displacements");
  for (std::size_t i = 0; i < n; ++i) require(ends(i) <= ends(i + 1), "offsets must not descend, entry ", i + 1, " does");
  require(others.extent(0) == n_pairs, "displacements and neighbor_species must have one row per pair");
  const auto known = [&](int s) { return s >= 0 && static_cast<std::size_t>(s) < n_species; };
  require(std::all_of(species.data(), species.data() + n, known) &&
              std::all_of(neighbor_species.data(), neighbor_species.data() + n_pairs, known),
          "species must be from 0 to ", n_species - 1);
  Environments environments{n, species.data(), ends.data(), r.data(), others.data()};
  std::vector<double> energies(n), gradients(3 * n_pairs), gammas(evaluator.has_active_set() ? n : 0);
  Outputs outputs;
  outputs.energies = energies.data();
  outputs.pair_gradients = gradients.data();
  if (evaluator.has_active_set()) outputs.gammas = gammas.data();
  {
    py::gil_scoped_release release;
    evaluate_environments(evaluator, environments, outputs, n_threads, kept.workspaces);
  }
  const auto n_gammas = static_cast<py::ssize_t>(gammas.size());
  return py::make_tuple(to_numpy(std::move(energies), {static_cast<py::ssize_t>(n)}),
                        to_numpy(std::move(gradients), {static_cast<py::ssize_t>(n_pairs), 3}),
                        to_numpy(std::move(gammas), {n_gammas}));
}

py::tuple design_rows(const DesignRowBuilder& builder, const Array<std::int64_t>& counts,
                      const Array<double>& positions, const Array<int>& species, const Array<double>& cells,
                      const Array<bool>& pbc, int n_threads) {
  const Batch batch(counts, positions, species, cells, pbc);
  const auto n_columns = static_cast<py::ssize_t>(builder.n_columns());
  py::array_t<double> energies({batch.n_structures(), n_columns}), forces({batch.n_atoms(), py::ssize_t{3}, n_columns}),
      virials({batch.n_structures(), py::ssize_t{6}, n_columns});
  {
    py::gil_scoped_release release;
    builder.fill(batch.structures, energies.mutable_data(), forces.mutable_data(), virials.mutable_data(), n_threads);
  }
  return py::make_tuple(energies, forces, virials);
}

DesignRowBuilder make_builder(const BPotential& potential, const std::string& radial, const std::string& instructions) {
  py::gil_scoped_release release;
  return DesignRowBuilder(potential, radial_from(radial), instructions_from(instructions));
}

void set_active_set(KeptEvaluator& kept, const std::vector<Array<double>>& matrices) {
  ActiveSet active_set;
  for (const auto& matrix : matrices) {
    const auto view = view2(matrix, "active set");
    active_set.matrices.emplace_back(view.data(), view.data() + view.size());
  }
  kept.evaluator.set_active_set(active_set);
}

}  // namespace

void bind_ace(py::module_ m) {
  const auto structures = [](auto& binding, const char* name, auto function) {
    binding.def(name, function, py::arg("counts").noconvert(), py::arg("positions").noconvert(),
                py::arg("species").noconvert(), py::arg("cells").noconvert(), py::arg("pbc").noconvert(),
                py::arg("n_threads") = 0);
  };
  py::class_<KeptEvaluator> evaluator(m, "Evaluator");
  evaluator
      .def(py::init(&make_evaluator<BPotential>), py::arg("potential"), py::arg("radial") = "spline",
           py::arg("instructions") = "best")
      .def(py::init(&make_evaluator<CTildePotential>), py::arg("potential"), py::arg("radial") = "spline",
           py::arg("instructions") = "best")
      .def_property_readonly("instructions", [](const KeptEvaluator& kept) { return kept.evaluator.instructions(); })
      .def_property_readonly("max_cutoff", [](const KeptEvaluator& kept) { return kept.evaluator.max_cutoff(); })
      .def_property_readonly("has_active_set", [](const KeptEvaluator& kept) { return kept.evaluator.has_active_set(); })
      .def_property_readonly("active_set_is_full",
                             [](const KeptEvaluator& kept) { return kept.evaluator.active_set_is_full(); })
      .def("n_projections", [](const KeptEvaluator& kept, int species) { return kept.evaluator.n_projections(species); },
           py::arg("species"))
      .def("set_active_set", &set_active_set, py::arg("matrices"))
      .def("evaluate_environments", &bindings::evaluate_environments, py::arg("offsets").noconvert(),
           py::arg("species").noconvert(), py::arg("displacements").noconvert(),
           py::arg("neighbor_species").noconvert(), py::arg("n_threads") = 0);
  structures(evaluator, "evaluate", &evaluate);
  structures(evaluator, "project", &project);
  structures(evaluator, "grade", &grade);
  py::class_<DesignRowBuilder> builder(m, "DesignRowBuilder");
  builder
      .def(py::init(&make_builder), py::arg("potential"), py::arg("radial") = "spline",
           py::arg("instructions") = "best")
      .def_property_readonly("n_columns", &DesignRowBuilder::n_columns)
      .def_property_readonly("max_cutoff", &DesignRowBuilder::max_cutoff);
  structures(builder, "rows", &design_rows);
}

}  // namespace polypace::bindings
