// SPDX-License-Identifier: GPL-2.0-only
// What `pair_style pace` and `pair_style pace/extrapolation` share: ACE energies and forces from the core, on LAMMPS's
// full neighbour list; per-atom outputs for `fix pair` on the steps it asks for them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <pair.h>

#include "ace/evaluator.hpp"
#include "environment_block.hpp"

namespace polypace::lammps {

class PairAce : public LAMMPS_NS::Pair {
 public:
  ~PairAce() override;

  void compute(int eflag, int vflag) override;
  void settings(int narg, char** arg) override;
  void coeff(int narg, char** arg) override;
  void init_style() override;
  double init_one(int i, int j) override;
  void* extract(const char* name, int& dim) override;
  void* extract_peratom(const char* name, int& columns) override;
  double memory_usage() override;

 protected:
  // `keywords` are the words that pair_style takes; all but `chunksize` stand alone. In pair_coeff `n_files` files
  // precede the elements.
  PairAce(LAMMPS_NS::LAMMPS* lammps, std::string style, std::vector<std::string> keywords, int n_files);

  virtual ace::Evaluator load(const std::vector<std::string>& files) = 0;

 private:
  // A per-atom output that is computed only when `fix pair` raised its flag in this step.
  struct Request {
    std::string name;
    int flag = 0;
    std::vector<double> values;   // per local atom
    std::vector<double> block;    // per atom of the current block
  };

  void allocate();
  void read_potential(const std::vector<std::string>& files);
  void map_types(char** elements, const std::string& file);
  void check_labels() const;
  void warn_of_excluded_neighbors() const;
  void group_atoms_by_species();
  void prepare_requests();
  void compute_block(const int* atoms, std::size_t n_atoms, int species);
  void scatter(const int* atoms);
  void scatter_gradients(int i, std::size_t a, double scale);
  [[noreturn]] void report(const std::exception& problem, const int* atoms);
  Request* find_request(const std::string& name);

  const std::string style_;
  const std::vector<std::string> keywords_;
  const int n_files_;

  std::optional<ace::Evaluator> evaluator_;
  std::unique_ptr<ace::Evaluator::Workspace, void (*)(ace::Evaluator::Workspace*)> workspace_{nullptr, nullptr};
  EnvironmentBlock block_;
  NearNeighbors near_;
  std::vector<int> species_of_type_;               // −1 for NULL
  std::vector<std::vector<int>> atoms_of_species_;  // local atoms
  std::vector<Request> requests_;
  double** scale_ = nullptr;                       // for fix adapt: energy and forces of atom i times scale[type][type]
};

// pair_style pace [product | recursive] [chunksize n];  pair_coeff * * potential(.yace|.yaml) elements…
class PairPace final : public PairAce {
 public:
  explicit PairPace(LAMMPS_NS::LAMMPS* lammps);

 private:
  ace::Evaluator load(const std::vector<std::string>& files) override;
};

// pair_style pace/extrapolation [chunksize n];  pair_coeff * * potential.yaml active_set.asi elements…
class PairPaceExtrapolation final : public PairAce {
 public:
  explicit PairPaceExtrapolation(LAMMPS_NS::LAMMPS* lammps);

 private:
  ace::Evaluator load(const std::vector<std::string>& files) override;
};

}  // namespace polypace::lammps
