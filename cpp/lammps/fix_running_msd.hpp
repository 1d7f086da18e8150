// SPDX-License-Identifier: GPL-2.0-only
// fix ID group polypace/msd Nevery Nwrite file [points p] [ratio m]
//
// Mean square displacements of chains while the run goes on, without a trajectory: g1 (beads), g2 (beads relative to
// their chain's centre of mass), g3 (centres of mass), sampled every Nevery steps, written to `file` every Nwrite steps
// and at the end of a run, continued from restart files. Chains are molecule ids; the box must not change.
//
// Every molecule has a home rank that keeps its history, wherever its atoms are: samples travel, histories do not.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <fix.h>

#include "dynamics/running_msd.hpp"

namespace polypace::lammps {

class FixRunningMsd final : public LAMMPS_NS::Fix {
 public:
  FixRunningMsd(LAMMPS_NS::LAMMPS* lammps, int narg, char** arg);

  int setmask() override;
  void init() override;
  void setup(int vflag) override;
  void end_of_step() override;
  void post_run() override;
  void write_restart(FILE* file) override;
  void restart(char* buffer) override;
  double memory_usage() override;

 private:
  using Sums = dynamics::RunningMsd::Sums;

  void read_options(int narg, char** arg);
  void find_homes();
  std::vector<double> exchange(int width);  // rows of `width` numbers of the atoms whose home is here
  void sample();
  void write_file();
  std::vector<Sums> total_sums() const;
  std::vector<double> restart_record() const;
  void continue_from_restart(const std::vector<LAMMPS_NS::tagint>& tags);

  int write_every_ = 0, points_ = 16, ratio_ = 2;
  std::string path_;
  std::unique_ptr<dynamics::RunningMsd> msd_;
  std::vector<LAMMPS_NS::tagint> tags_;                              // beads at home here, ascending
  std::unordered_map<LAMMPS_NS::tagint, std::size_t> bead_of_tag_;
  std::vector<double> positions_;
  LAMMPS_NS::bigint n_beads_ = 0, n_chains_ = 0;                     // of all ranks
  LAMMPS_NS::bigint last_sample_ = -1;
  double timestep_ = 0;
  std::vector<double> restart_;                                      // what a restart file holds, until the first run
};

}  // namespace polypace::lammps
