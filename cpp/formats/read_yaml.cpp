// The B-basis potential file of pacemaker.
#include <algorithm>
#include <optional>
#include <set>
#include <sstream>

#include "ace/coupling.hpp"
#include "formats/formats.hpp"
#include "formats/function_entry.hpp"
#include "formats/header_checks.hpp"
#include "formats/text_file.hpp"
#include "formats/trees.hpp"
#include "formats/yaml_tree.hpp"

namespace polypace::formats {
namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string word; stream >> word;) result.push_back(word);
  return result;
}

struct Block {
  Field field;
  std::string name;
  std::vector<std::string> elements;  // distinct, centre first
};

// What one block says about its bond, before it is compared with the block of the opposite direction.
struct BondEntry {
  Field field;
  std::string block;
  ace::Bond bond;
  bool has_radial = false, has_core = false;
};

class YamlReader {
 public:
  YamlReader(const Field& root) : root_(root) {}

  ace::BPotential read() {
    potential_.delta_spline_bins = delta_spline_bins(root_.at("global").at("DeltaSplineBins"));
    read_metadata();
    read_blocks();
    read_e0();
    for (const auto& block : blocks_) {
      if (block.elements.size() == 1) read_embedding(block);
      if (block.elements.size() <= 2) read_bond(block);
      require_centre(block);
    }
    settle_bonds();
    potential_.functions.resize(potential_.elements.size());
    for (const auto& block : blocks_) read_functions(block);
    ace::sort_canonically(potential_);
    return std::move(potential_);
  }

 private:
  int species(const std::string& symbol) const {
    const auto& elements = potential_.elements;
    return static_cast<int>(std::lower_bound(elements.begin(), elements.end(), symbol) - elements.begin());
  }

  void read_metadata() {
    const auto metadata = root_.find("metadata");
    if (!metadata) return;
    for (const auto& [key, value] : metadata->entries())
      if (key.text() == e0_metadata_key)
        e0_text_ = value;
      else
        potential_.metadata[key.text()] = value.is_null() ? "" : value.text();
  }

  // {"C": -1.5, "H": -0.5} as text, because metadata maps strings to strings.
  void read_e0() {
    potential_.e0.assign(potential_.elements.size(), 0.0);
    if (!e0_text_) return;
    const std::string source = e0_text_->place();
    const auto tree = parse_yaml_tree(e0_text_->text(), source);
    for (const auto& [symbol, energy] : Field(tree, source).entries()) {
      const int mu = species(symbol.text());
      symbol.check(mu < potential_.n_species() && potential_.elements[mu] == symbol.text(), "'", symbol.text(),
                   "' is not an element of the potential");
      potential_.e0[mu] = energy.number();
    }
  }

  void read_blocks() {
    std::set<std::string> symbols;
    for (const auto& field : root_.at("species").items()) {
      const auto name = field.at("speciesblock");
      Block block{field, name.text(), {}};
      for (const auto& symbol : words(name.text())) {
        name.check(is_element(symbol), "'", symbol, "' is not a chemical symbol; separate symbols with blanks, as in 'Al Ni'");
        if (std::find(block.elements.begin(), block.elements.end(), symbol) == block.elements.end())
          block.elements.push_back(symbol);
      }
      name.check(!block.elements.empty(), "names no element");
      symbols.insert(block.elements.begin(), block.elements.end());
      blocks_.push_back(std::move(block));
    }
    root_.check(!symbols.empty(), "species holds no block");
    potential_.elements.assign(symbols.begin(), symbols.end());
    potential_.embeddings.resize(symbols.size());
    has_embedding_.resize(symbols.size());
    entries_.resize(symbols.size() * symbols.size());
  }

  void read_embedding(const Block& block) {
    const int mu = species(block.elements[0]);
    block.field.check(!has_embedding_[mu], "the embedding of ", block.elements[0], " is defined twice; keep one block '",
                      block.elements[0], "'");
    has_embedding_[mu] = true;
    auto& embedding = potential_.embeddings[mu];
    embedding.n_densities = block.field.at("ndensityi").integer(1, max_densities);
    embedding.kind = embedding_kind(block.field.at("npoti"));
    const auto parameters = block.field.at("parameters");
    embedding.parameters = parameters.numbers();
    parameters.check(embedding.parameters.size() == 2u * embedding.n_densities, "Number of fs_parameters = ",
                     embedding.parameters.size(), " is not equal to ndensity*2 = ", 2 * embedding.n_densities);
    if (const auto cut = block.field.find("rho_core_cut")) embedding.rho_core_cut = cut->number();
    if (const auto width = block.field.find("drho_core_cut")) embedding.drho_core_cut = width->number();
  }

  void require_centre(const Block& block) const {
    block.field.check(has_embedding_[species(block.elements[0])], "the block '", block.name, "' comes before the block '",
                      block.elements[0], "', which must define the embedding of its central atom; move it behind");
  }

  void read_bond(const Block& block) {
    BondEntry entry{block.field, block.name, {}, false, false};
    read_radial(block.field, entry);
    read_core(block.field, entry);
    const int i = species(block.elements.front()), j = species(block.elements.back());
    auto& slot = entries_[i * potential_.elements.size() + j];
    block.field.check(!slot || (!entry.has_radial && !entry.has_core), "the bond of the block '", block.name,
                      "' is defined twice; keep one");
    if (!slot) slot = std::move(entry);
  }

  void read_radial(const Field& field, BondEntry& entry) const {
    auto& bond = entry.bond;
    const auto l_max = field.find("lmaxi");
    entry.has_radial = l_max.has_value();
    if (!l_max) {
      for (const char* key : {"nradmaxi", "nradbaseij", "radbase", "radparameters", "radcoefficients"})
        field.check(!field.find(key), "Radial basis functions are partially defined for '", entry.block, "': ", key,
                    " is given, but lmaxi is missing");
      return;
    }
    bond.l_max = l_max->integer(0, max_momentum);
    bond.n_max = field.at("nradmaxi").integer(0, max_radial);
    bond.k_max = field.at("nradbaseij").integer(0, max_radial);
    bond.basis = radial_basis(field.at("radbase"));
    bond.basis_name = field.at("radbase").text();
    bond.radial_parameters = field.at("radparameters").numbers();
    if (!bond.radial_parameters.empty()) bond.lambda = bond.radial_parameters[0];
    bond.r_cut = field.at("rcutij").number(0, max_cutoff);
    bond.d_cut = field.at("dcutij").number(0, max_cutoff);
    bond.coefficients = read_coefficients(field, bond);
    bond.defined = true;
  }

  // Nested c[n][l][k], or the flat list of old files with k slowest and l fastest.
  static std::vector<double> read_coefficients(const Field& field, const ace::Bond& bond) {
    if (bond.n_max == 0) return {};
    const auto list = field.at("radcoefficients");
    const auto first = list.items();
    if (first.empty() || first[0].is_sequence()) return nested_coefficients(list, bond);
    const auto flat = list.numbers();
    const std::size_t n_l = bond.l_max + 1, size = bond.n_max * n_l * bond.k_max;
    list.check(flat.size() == size, "has ", flat.size(), " numbers, nradmax × (lmax + 1) × nradbase = ", size, " are needed");
    std::vector<double> nested(size);
    for (int k = 0; k < bond.k_max; ++k)
      for (int n = 0; n < bond.n_max; ++n)
        for (std::size_t l = 0; l < n_l; ++l)
          nested[(n * n_l + l) * bond.k_max + k] = flat[(k * static_cast<std::size_t>(bond.n_max) + n) * n_l + l];
    return nested;
  }

  static void read_core(const Field& field, BondEntry& entry) {
    auto& bond = entry.bond;
    if (const auto core = field.find("core-repulsion")) {
      const auto values = core->numbers();
      core->check(values.size() == 2, "must be [prefactor, λ], got ", values.size(), " numbers");
      bond.core_prefactor = values[0];
      bond.core_lambda = values[1];
      entry.has_core = true;
    }
    if (const auto r_in = field.find("r_in")) bond.r_in = r_in->number(0, max_cutoff);
    if (const auto delta = field.find("delta_in")) bond.delta_in = delta->number(0, max_cutoff);
    if (const auto inner = field.find("inner_cutoff_type")) bond.inner = inner_cutoff(*inner);
  }

  // Both directions of a pair are one bond: what only one block defines is copied, what both define must agree.
  void settle_bonds() {
    const int n = potential_.n_species();
    for (int i = 0; i < n; ++i)
      for (int j = i; j < n; ++j) {
        auto &forward = entries_[i * n + j], &backward = entries_[j * n + i];
        if (!forward && !backward) continue;
        if (!forward) forward = backward;
        if (!backward) backward = forward;
        complete(*forward, *backward);
        complete(*backward, *forward);
        require_agreement(*forward, *backward);
      }
    const BondEntry* first = nullptr;
    for (const auto& entry : entries_) {
      potential_.bonds.push_back(entry ? entry->bond : ace::Bond{});
      if (!entry) continue;
      check_bond(entry->field, entry->bond, potential_.delta_spline_bins);
      if (!first) first = &*entry;
      entry->field.check(entry->bond.inner == first->bond.inner,
                         "`inner_cutoff_type` should be identical for all one- and two-species blocks: it is ",
                         name_of(entry->bond.inner), " in '", entry->block, "' and ", name_of(first->bond.inner), " in '",
                         first->block, "'");
    }
  }

  static void complete(BondEntry& entry, const BondEntry& other) {
    entry.field.check(entry.has_radial || other.has_radial, "Radial basis is not defined neither in '", entry.block, "' nor in '",
                      other.block, "'; add lmaxi, nradmaxi, nradbaseij, radbase, radparameters, radcoefficients, rcutij, dcutij");
    auto& bond = entry.bond;
    if (!entry.has_radial) {
      const ace::Bond own = bond;
      bond = other.bond;
      bond.core_prefactor = own.core_prefactor;
      bond.core_lambda = own.core_lambda;
      bond.r_in = own.r_in;
      bond.delta_in = own.delta_in;
      bond.inner = own.inner;
    }
    if (!entry.has_core && other.has_core) {
      bond.core_prefactor = other.bond.core_prefactor;
      bond.core_lambda = other.bond.core_lambda;
      bond.r_in = other.bond.r_in;
      bond.delta_in = other.bond.delta_in;
      bond.inner = other.bond.inner;
    }
  }

  static void require_agreement(const BondEntry& a, const BondEntry& b) {
    const auto radial = [](const ace::Bond& bond) {
      return std::tie(bond.l_max, bond.n_max, bond.k_max, bond.basis_name, bond.radial_parameters, bond.coefficients, bond.r_cut,
                      bond.d_cut);
    };
    const auto core = [](const ace::Bond& bond) { return std::tie(bond.core_prefactor, bond.core_lambda); };
    const auto inner = [](const ace::Bond& bond) { return std::tie(bond.r_in, bond.delta_in, bond.inner); };
    b.field.check(radial(a.bond) == radial(b.bond), "Radial basis in blocks '", a.block, "' and '", b.block,
                  "' is not consistent; make them equal or drop it from one");
    b.field.check(core(a.bond) == core(b.bond), "Core-repulsion in blocks '", a.block, "' and '", b.block,
                  "' is not consistent; make them equal or drop it from one");
    b.field.check(inner(a.bond) == inner(b.bond), "r_in, delta_in or inner_cutoff_type in blocks '", a.block, "' and '", b.block,
                  "' is not consistent; make them equal");
  }

  void read_functions(const Block& block) {
    const auto list = block.field.find("nbody");
    if (!list) return;
    const int mu0 = species(block.elements[0]);
    for (const auto& field : list->items()) {
      if (const auto skip = field.find("skip"); skip && skip->boolean()) continue;
      potential_.functions[mu0].push_back(
          read_function_entry(field, potential_, mu0, neighbour_species(field.at("type"), block)));
    }
  }

  std::vector<int> neighbour_species(const Field& type, const Block& block) const {
    const auto symbols = words(type.text());
    type.check(symbols.size() >= 2 && static_cast<int>(symbols.size()) <= max_rank + 1, "must name the central element and 1 to ",
               max_rank, " neighbours, got '", type.text(), "'");
    bool fits = symbols[0] == block.elements[0];
    std::vector<int> mus;
    for (std::size_t t = 1; t < symbols.size(); ++t) {
      fits = fits && std::find(block.elements.begin(), block.elements.end(), symbols[t]) != block.elements.end();
      mus.push_back(species(symbols[t]));
    }
    type.check(fits, "Function specification with type: '", type.text(), "' is inconsistent with block specification '", block.name, "'");
    return mus;
  }

  const Field root_;
  ace::BPotential potential_;
  std::optional<Field> e0_text_;
  std::vector<Block> blocks_;
  std::vector<bool> has_embedding_;
  std::vector<std::optional<BondEntry>> entries_;  // per ordered pair
};

}  // namespace

ace::BPotential yaml_from_tree(const Field& root) { return YamlReader(root).read(); }

ace::BPotential parse_yaml(const std::string& text, const std::string& source) {
  const auto tree = parse_yaml_tree(text, source);
  return yaml_from_tree(Field(tree, source));
}

ace::BPotential read_yaml(const std::string& path) { return parse_yaml(read_file(path), path); }

}  // namespace polypace::formats
