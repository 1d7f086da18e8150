#include "ace/evaluator.hpp"

#include <algorithm>
#include <cmath>

#include "ace/compiled_potential.hpp"
#include "ace/embedding.hpp"
#include "ace/extrapolation.hpp"
#include "ace/lane_block.hpp"
#include "base/errors.hpp"

namespace polypace::ace {
class Evaluator::Workspace {
 public:
  LaneBlock lanes;
  std::vector<std::int64_t> order;
  std::vector<double> densities, derivatives;
};

class Evaluator::Implementation {
 public:
  template <class Potential>
  Implementation(const Potential& potential, RadialEvaluation radial) : compiled_(potential), radial_(radial) {
    use(Instructions::best);
  }

  void use(Instructions instructions) { kernel_ = choose_kernel(instructions); }
  const char* instructions() const { return kernel_->name; }
  const PotentialHeader& header() const { return compiled_.header(); }
  int n_projections(int mu) const {
    const int n_species = header().n_species();
    require(mu >= 0 && mu < n_species, "species must be 0 to ", n_species - 1, ", got ", mu);
    return compiled_.program(mu).program().n_functions;
  }
  int max_projections() const { return compiled_.most(&Program::n_functions); }
  int max_densities() const { return compiled_.most(&Program::n_densities); }

  void set_active_set(const ActiveSet& active_set) {
    std::vector<int> functions, densities;
    for (int mu = 0; mu < header().n_species(); ++mu) {
      functions.push_back(compiled_.program(mu).program().n_functions);
      densities.push_back(compiled_.program(mu).program().n_densities);
    }
    extrapolation_ = Extrapolation(active_set, header().elements, functions, densities);
  }
  const Extrapolation& extrapolation() const { return extrapolation_; }

  void evaluate(const Environments& environments, const Outputs& outputs, Workspace& workspace) const {
    require(!outputs.gammas || !extrapolation_.empty(), "gammas need an active set; call set_active_set first");
    require(!outputs.projections || compiled_.has_functions(),
            "projections need a B-basis potential (.yaml); a C-tilde potential (.yace) has none");
    sort_by_species(environments, workspace);
    const auto& order = workspace.order;
    for (std::size_t begin = 0; begin < order.size();) {
      const int species = environments.species[order[begin]];
      std::size_t end = begin;
      while (end < order.size() && end - begin < static_cast<std::size_t>(kernel_->width) &&
             environments.species[order[end]] == species)
        ++end;
      evaluate_block(species, environments, order.data() + begin, static_cast<int>(end - begin), outputs, workspace);
      begin = end;
    }
  }

 private:
  // By species, because lanes share a program, then by number of neighbours, because lanes wait for the longest.
  void sort_by_species(const Environments& environments, Workspace& workspace) const {
    auto& order = workspace.order;
    order.clear();
    for (int mu = 0; mu < header().n_species(); ++mu)
      for (std::size_t i = 0; i < environments.n_atoms; ++i)
        if (environments.species[i] == mu) order.push_back(static_cast<std::int64_t>(i));
    const auto n_neighbors = [&](std::int64_t i) { return environments.offsets[i + 1] - environments.offsets[i]; };
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      const int species_a = environments.species[a], species_b = environments.species[b];
      return species_a != species_b ? species_a < species_b : n_neighbors(a) < n_neighbors(b);
    });
    require(order.size() == environments.n_atoms, "species of atoms must be 0 to ", header().n_species() - 1);
  }

  void evaluate_block(int species, const Environments& environments, const std::int64_t* atoms, int n_lanes,
                      const Outputs& outputs, Workspace& workspace) const {
    const CompiledProgram& compiled = compiled_.program(species);
    LaneBlock& lanes = workspace.lanes;
    lanes.gather(compiled, environments, atoms, n_lanes, kernel_->width, outputs.pair_gradients);
    lanes.block.wants_terms = outputs.projections || outputs.gammas;
    kernel_->geometry(compiled.view(), lanes.block);
    if (radial_ == RadialEvaluation::spline)
      kernel_->radial(compiled.view(), lanes.block);
    else
      lanes.evaluate_columns(compiled);
    kernel_->forward(compiled.view(), lanes.block);
    std::fill(lanes.density_weights, lanes.density_weights + kernel_->width * compiled.view().n_densities, 0.0);
    std::fill(lanes.core_weights, lanes.core_weights + kernel_->width, 0.0);
    AtomicEnergy results[kernel::max_width];
    LaneBlock::Deepest deepest[kernel::max_width];
    for (int lane = 0; lane < n_lanes; ++lane) {
      if (compiled_.inner() == InnerCutoff::zbl) deepest[lane] = lanes.deepest(compiled, environments, lane);
      results[lane] = embed_lane(species, lane, deepest[lane], workspace);
      write_lane(species, atoms[lane], lane, results[lane], outputs, lanes);
    }
    if (outputs.gammas) {
      extrapolation_.grade(species, *kernel_, lanes);
      for (int lane = 0; lane < n_lanes; ++lane) outputs.gammas[atoms[lane]] = lanes.grades[lane];
    }
    if (!outputs.pair_gradients) return;
    for (int lane = 0; lane < n_lanes; ++lane)
      for (int p = 0; p < compiled.view().n_densities; ++p)
        lanes.density_weights[p * kernel_->width + lane] *= results[lane].embedding_weight;
    kernel_->backward(compiled.view(), lanes.block);
    for (int lane = 0; lane < n_lanes; ++lane) {
      if (results[lane].closest_weight == 0) continue;
      const auto pair = deepest[lane].pair;
      for (int e = 0; e < 3; ++e)
        outputs.pair_gradients[3 * pair + e] +=
            results[lane].closest_weight * environments.displacements[3 * pair + e] / deepest[lane].distance;
    }
  }

  // Fills the lane's density weights with ∂F/∂ρ_p (without the core's factor) and its core weight.
  AtomicEnergy embed_lane(int species, int lane, const LaneBlock::Deepest& deepest, Workspace& workspace) const {
    const auto& embedding = header().embeddings[species];
    const int n = embedding.n_densities, width = kernel_->width;
    auto& lanes = workspace.lanes;
    workspace.densities.resize(n);
    workspace.derivatives.resize(n);
    for (int p = 0; p < n; ++p) workspace.densities[p] = lanes.block.densities[p * width + lane];
    const double embedded = embed(embedding, workspace.densities.data(), workspace.derivatives.data());
    for (int p = 0; p < n; ++p) lanes.density_weights[p * width + lane] = workspace.derivatives[p];
    Closest closest;
    if (deepest.pair >= 0) {
      const Bond& bond = header().bond(species, deepest.species);
      closest = {true, deepest.distance, bond.r_in, bond.delta_in};
    }
    const auto result = combine_with_core(embedding, compiled_.inner(), embedded, lanes.block.core[lane], closest);
    lanes.core_weights[lane] = result.core_weight;
    return result;
  }

  void write_lane(int species, std::int64_t atom, int lane, const AtomicEnergy& result, const Outputs& outputs,
                  const LaneBlock& lanes) const {
    const auto& program = compiled_.program(species).program();
    const int width = kernel_->width;
    if (outputs.energies) outputs.energies[atom] = result.energy + program.e0;
    if (outputs.core_factors) outputs.core_factors[atom] = 1 - result.embedding_weight;
    const auto copy = [&](double* target, const double* source, int n, int row_size) {
      for (int i = 0; i < row_size; ++i) target[atom * row_size + i] = i < n ? source[i * width + lane] : 0;
    };
    if (outputs.densities) copy(outputs.densities, lanes.block.densities, program.n_densities, max_densities());
    if (outputs.projections) copy(outputs.projections, lanes.block.terms, program.n_functions, max_projections());
  }

  CompiledPotential compiled_;
  RadialEvaluation radial_;
  const kernel::Functions* kernel_ = nullptr;
  Extrapolation extrapolation_;
};

Evaluator::Evaluator(const BPotential& potential, RadialEvaluation radial)
    : implementation_(std::make_unique<Implementation>(potential, radial)) {}
Evaluator::Evaluator(const CTildePotential& potential, RadialEvaluation radial)
    : implementation_(std::make_unique<Implementation>(potential, radial)) {}
Evaluator::~Evaluator() = default;
Evaluator::Evaluator(Evaluator&&) noexcept = default;
Evaluator& Evaluator::operator=(Evaluator&&) noexcept = default;

const PotentialHeader& Evaluator::header() const { return implementation_->header(); }
double Evaluator::max_cutoff() const {
  double cutoff = 0;
  for (const auto& bond : header().bonds)
    if (bond.defined) cutoff = std::max(cutoff, bond.r_cut);
  return cutoff;
}
int Evaluator::n_projections(int species) const { return implementation_->n_projections(species); }
int Evaluator::max_projections() const { return implementation_->max_projections(); }
int Evaluator::max_densities() const { return implementation_->max_densities(); }
void Evaluator::use_instructions(Instructions instructions) { implementation_->use(instructions); }
const char* Evaluator::instructions() const { return implementation_->instructions(); }
void Evaluator::set_active_set(const ActiveSet& active_set) { implementation_->set_active_set(active_set); }
bool Evaluator::has_active_set() const { return !implementation_->extrapolation().empty(); }
bool Evaluator::active_set_is_full() const { return implementation_->extrapolation().is_full(); }
std::unique_ptr<Evaluator::Workspace, void (*)(Evaluator::Workspace*)> Evaluator::make_workspace() const {
  return {new Workspace, [](Workspace* workspace) { delete workspace; }};
}
void Evaluator::evaluate(const Environments& environments, const Outputs& outputs, Workspace& workspace) const {
  implementation_->evaluate(environments, outputs, workspace);
}

}  // namespace polypace::ace
