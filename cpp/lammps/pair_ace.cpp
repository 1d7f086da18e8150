// SPDX-License-Identifier: GPL-2.0-only
#include "pair_ace.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <atom.h>
#include <comm.h>
#include <error.h>
#include <force.h>
#include <memory.h>
#include <neigh_list.h>
#include <neighbor.h>
#include <update.h>

#include "plugin_interface.hpp"

namespace polypace::lammps {

using namespace LAMMPS_NS;

namespace {
std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}
}  // namespace

PairAce::PairAce(LAMMPS* lammps, std::string style, std::vector<std::string> keywords, int n_files)
    : Pair(lammps), style_(std::move(style)), keywords_(std::move(keywords)), n_files_(n_files) {
  single_enable = 0;
  restartinfo = 0;
  one_coeff = 1;
  manybody_flag = 1;
  centroidstressflag = CENTROID_NOTAVAIL;
  requests_.resize(2);
  requests_[0].name = "gamma";
  requests_[1].name = "corerep";
}

PairAce::~PairAce() {
  if (copymode || !allocated) return;
  memory->destroy(setflag);
  memory->destroy(cutsq);
  memory->destroy(scale_);
}

void PairAce::allocate() {
  allocated = 1;
  const int n = atom->ntypes + 1;
  memory->create(setflag, n, n, "pair:setflag");
  memory->create(cutsq, n, n, "pair:cutsq");
  memory->create(scale_, n, n, "pair:scale");
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      setflag[i][j] = 0;
      cutsq[i][j] = 0;
      scale_[i][j] = 1;
    }
}

void PairAce::settings(int narg, char** arg) {
  for (int i = 0; i < narg; ++i) {
    const std::string keyword = arg[i];
    if (std::find(keywords_.begin(), keywords_.end(), keyword) == keywords_.end())
      error->all(FLERR, fmt::format("pair_style {}: unknown keyword '{}', known are: {}", style_, keyword,
                                    joined(keywords_)));
    // The algorithm and the block size make no difference here: there is one algorithm, and blocks fit the cache.
    if (keyword != "chunksize") continue;
    if (++i == narg) error->all(FLERR, fmt::format("pair_style {}: chunksize needs a number", style_));
    if (utils::inumeric(FLERR, arg[i], false, lmp) < 1)
      error->all(FLERR, fmt::format("pair_style {}: chunksize must be at least 1, got {}", style_, arg[i]));
  }
  if (std::strcmp(update->unit_style, "metal") != 0)
    error->all(FLERR, fmt::format("ACE potentials require 'metal' units (eV, Angstrom, ps), this script has 'units {}'",
                                  update->unit_style));
}

void PairAce::coeff(int narg, char** arg) {
  const int n_types = atom->ntypes;
  if (narg != 2 + n_files_ + n_types || std::strcmp(arg[0], "*") != 0 || std::strcmp(arg[1], "*") != 0)
    error->all(FLERR,
               fmt::format("pair_coeff of {} needs: * * {} and one element name (or NULL) for each of the {} atom "
                           "types; got {} arguments",
                           style_, n_files_ == 1 ? "potential" : "potential.yaml active_set.asi", n_types, narg));
  if (!allocated) allocate();
  std::vector<std::string> files;
  for (int i = 0; i < n_files_; ++i) {
    files.push_back(utils::get_potential_file_path(arg[2 + i]));
    if (files.back().empty())
      error->all(FLERR, fmt::format("pair_coeff of {}: there is no file {}, neither here nor in the folders of "
                                    "LAMMPS_POTENTIALS", style_, arg[2 + i]));
  }
  read_potential(files);
  map_types(arg + 2 + n_files_, arg[2]);
}

void PairAce::read_potential(const std::vector<std::string>& files) {
  try {
    evaluator_.emplace(load(files));
  } catch (const LAMMPSException&) {
    throw;
  } catch (const std::exception& problem) {
    error->all(FLERR, fmt::format("pair_style {}: {}", style_, problem.what()));
  }
  workspace_ = evaluator_->make_workspace();
  block_.set_cutoffs(evaluator_->header());
}

void PairAce::map_types(char** elements, const std::string& file) {
  const auto& known = evaluator_->header().elements;
  const int n_types = atom->ntypes;
  species_of_type_.assign(n_types + 1, -1);
  for (int type = 1; type <= n_types; ++type) {
    const std::string element = elements[type - 1];
    if (element == "NULL") continue;
    const auto found = std::find(known.begin(), known.end(), element);
    if (found == known.end())
      error->all(FLERR, fmt::format("Element {} (atom type {}) is not supported by the ACE potential from file {}, "
                                    "which has: {}", element, type, file, joined(known)));
    species_of_type_[type] = static_cast<int>(found - known.begin());
    if (comm->me == 0) utils::logmesg(lmp, fmt::format("ACE: atom type {} is {}\n", type, element));
  }
  check_labels();
  int count = 0;
  for (int i = 1; i <= n_types; ++i)
    for (int j = i; j <= n_types; ++j) {
      setflag[i][j] = species_of_type_[i] >= 0 && species_of_type_[j] >= 0 ? 1 : 0;
      count += setflag[i][j];
    }
  if (count == 0) error->all(FLERR, fmt::format("pair_coeff of {}: every atom type is NULL", style_));
  atoms_of_species_.assign(known.size(), {});
}

// A type that is labelled with the name of an element must be that element: swapped species would run silently.
void PairAce::check_labels() const {
  if (!atom->labelmapflag) return;
  const auto& elements = evaluator_->header().elements;
  for (std::size_t species = 0; species < elements.size(); ++species) {
    const int type = atom->lmap->find(elements[species], Atom::ATOM);
    if (type < 1 || species_of_type_[type] < 0 || species_of_type_[type] == static_cast<int>(species)) continue;
    error->all(FLERR, fmt::format("pair_coeff of {} makes atom type {} the element {}, but its type label says {}",
                                  style_, type, elements[species_of_type_[type]], elements[species]));
  }
}

void PairAce::init_style() {
  if (atom->tag_enable == 0) error->all(FLERR, fmt::format("Pair style {} requires atom IDs", style_));
  if (force->newton_pair == 0) error->all(FLERR, fmt::format("Pair style {} requires newton pair on", style_));
  warn_of_excluded_neighbors();
  neighbor->add_request(this, NeighConst::REQ_FULL);
}

// Neighbours whose special factors are 0 never reach the list: an ACE would silently see a molecule without its bonds.
void PairAce::warn_of_excluded_neighbors() const {
  if (atom->molecular == Atom::ATOMIC || comm->me != 0) return;
  const bigint n_bonded[] = {0, atom->nbonds, atom->nangles, atom->ndihedrals};
  for (int k = 1; k <= 3; ++k)
    if (n_bonded[1] > 0 && force->special_lj[k] == 0 && force->special_coul[k] == 0) {
      error->warning(FLERR, fmt::format("Pair style {} does not see 1-{} neighbors because their special_bonds factors "
                                        "are 0; an ACE for whole molecules needs 'special_bonds lj/coul 1 1 1'",
                                        style_, k + 1));
      return;
    }
}

double PairAce::init_one(int i, int j) {
  if (setflag[i][j] == 0)
    error->all(FLERR, fmt::format("Pair style {}: types {} and {} have no element", style_, i, j));
  scale_[j][i] = scale_[i][j];
  const auto& header = evaluator_->header();
  const int mu = species_of_type_[i], nu = species_of_type_[j];
  const auto reach = [&](const ace::Bond& bond) { return bond.defined ? bond.r_cut : 0.0; };
  return std::max(reach(header.bond(mu, nu)), reach(header.bond(nu, mu)));
}

PairAce::Request* PairAce::find_request(const std::string& name) {
  // Without an active set there is no grade to ask for.
  if (name == "gamma" && !(evaluator_ ? evaluator_->has_active_set() : n_files_ == 2)) return nullptr;
  for (auto& request : requests_)
    if (request.name == name) return &request;
  return nullptr;
}

void* PairAce::extract(const char* name, int& dim) {
  const std::string wanted = name, suffix = "_flag";
  if (wanted == "scale") {
    dim = 2;
    return scale_;
  }
  dim = 0;
  if (wanted.size() <= suffix.size() || wanted.substr(wanted.size() - suffix.size()) != suffix) return nullptr;
  Request* const request = find_request(wanted.substr(0, wanted.size() - suffix.size()));
  return request ? &request->flag : nullptr;
}

void* PairAce::extract_peratom(const char* name, int& columns) {
  Request* const request = find_request(name);
  if (request == nullptr) return nullptr;
  columns = 0;  // a vector
  if (request->values.empty()) request->values.resize(1);  // a rank without atoms still needs an address
  return request->values.data();
}

double PairAce::memory_usage() {
  double bytes = Pair::memory_usage() + block_.bytes();
  for (const auto& request : requests_) bytes += static_cast<double>(request.values.capacity() * sizeof(double));
  return bytes;
}

}  // namespace polypace::lammps
