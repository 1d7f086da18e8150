// SPDX-License-Identifier: GPL-2.0-only
// pair_style lj/mdf/tail s_in s_out r_in r_out: the long range of a Lennard-Jones interaction that an ACE leaves out,
//   E(r) = u(x) T(y) 4 epsilon [(sigma/r)^12 − (sigma/r)^6],
//   u(x) = x³ (10 − 15 x + 6 x²), x = (r − s_in)/(s_out − s_in) clamped to [0, 1],
//   T(y) = (1 − y)³ (1 + 3 y + 6 y²), y = (r − r_in)/(r_out − r_in) clamped to [0, 1] (the taper of lj/mdf).
#pragma once

#include <pair.h>

namespace polypace::lammps {

class PairLJMDFTail : public LAMMPS_NS::Pair {
 public:
  explicit PairLJMDFTail(LAMMPS_NS::LAMMPS* lammps);
  ~PairLJMDFTail() override;

  void compute(int eflag, int vflag) override;
  void settings(int narg, char** arg) override;
  void coeff(int narg, char** arg) override;
  double init_one(int i, int j) override;
  double single(int i, int j, int itype, int jtype, double rsq, double factor_coul, double factor_lj,
                double& fforce) override;
  void* extract(const char* name, int& dim) override;

  void write_restart(FILE* file) override;
  void read_restart(FILE* file) override;
  void write_restart_settings(FILE* file) override;
  void read_restart_settings(FILE* file) override;
  void write_data(FILE* file) override;
  void write_data_all(FILE* file) override;

 private:
  struct Value {
    double energy;
    double force_over_distance;  // −(dE/dr)/r
  };
  Value evaluate(double rsq, double epsilon, double sigma) const;
  void allocate();
  void check_settings() const;

  double s_in_ = 0, s_out_ = 0, r_in_ = 0, r_out_ = 0;
  double** epsilon_ = nullptr;
  double** sigma_ = nullptr;
};

}  // namespace polypace::lammps
