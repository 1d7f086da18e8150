// SPDX-License-Identifier: GPL-2.0-only
// The restart record of fix polypace/msd: ten numbers, the sums, then every bead's id and kept positions, in any order.
#include <algorithm>
#include <cstring>
#include <limits>

#include <comm.h>
#include <error.h>
#include <update.h>

#include "fix_running_msd.hpp"

namespace polypace::lammps {

using namespace LAMMPS_NS;

namespace {

enum Header { record_version, every, points, ratio, timestep, last_sample, n_samples, n_sums, n_beads, n_kept, size };

std::vector<double> gather(const std::vector<double>& here, int rank, int n_ranks, MPI_Comm world) {
  const int n_here = static_cast<int>(here.size());
  std::vector<int> counts(n_ranks), first(n_ranks, 0);
  MPI_Gather(&n_here, 1, MPI_INT, counts.data(), 1, MPI_INT, 0, world);
  for (int k = 1; k < n_ranks; ++k) first[k] = first[k - 1] + counts[k - 1];
  std::vector<double> all(rank == 0 ? first.back() + counts.back() : 0);
  MPI_Gatherv(here.data(), n_here, MPI_DOUBLE, all.data(), counts.data(), first.data(), MPI_DOUBLE, 0, world);
  return all;
}

}  // namespace

// LAMMPS expects a record in any case; version 0 is one without content.
void FixRunningMsd::write_restart(FILE* file) {
  std::vector<double> record = msd_ ? restart_record() : restart_;
  if (comm->me != 0) return;
  if (record.empty()) record.assign(size, 0.0);
  const int n_bytes = static_cast<int>(8 * record.size());
  fwrite(&n_bytes, sizeof(int), 1, file);
  fwrite(record.data(), 1, n_bytes, file);
}

// Called by all ranks, complete on the first.
std::vector<double> FixRunningMsd::restart_record() const {
  const std::size_t kept = dynamics::RunningMsd::n_kept(msd_->n_samples(), points_, ratio_), width = 3 * kept + 1;
  const auto sums = total_sums();
  const double bytes = 8.0 * (size + 5.0 * static_cast<double>(sums.size()) + static_cast<double>(n_beads_ * width));
  if (bytes > std::numeric_limits<int>::max()) {
    if (comm->me == 0)
      error->warning(FLERR, "fix polypace/msd: its history exceeds 2 GB and is left out of the restart file; take fewer "
                            "points");
    return {};
  }
  const auto positions = msd_->kept_positions();
  std::vector<double> rows;
  for (std::size_t i = 0; i < tags_.size(); ++i) {
    rows.push_back(static_cast<double>(tags_[i]));
    rows.insert(rows.end(), positions.begin() + 3 * kept * i, positions.begin() + 3 * kept * (i + 1));
  }
  const auto all_rows = gather(rows, comm->me, comm->nprocs, world);
  std::vector<double> record{1, double(nevery), double(points_), double(ratio_), timestep_, double(last_sample_),
                             double(msd_->n_samples()), double(sums.size()), double(n_beads_), double(kept)};
  for (const auto& entry : sums)
    record.insert(record.end(), {double(entry.lag), double(entry.origins), entry.g1, entry.g2, entry.g3});
  record.insert(record.end(), all_rows.begin(), all_rows.end());
  return record;
}

// The atoms have no homes yet: the record waits for the first run.
void FixRunningMsd::restart(char* buffer) {
  std::vector<double> header(size);
  std::memcpy(header.data(), buffer, 8 * header.size());
  if (header[record_version] == 0) return;
  if (header[record_version] != 1 || header[every] != nevery || header[points] != points_ || header[ratio] != ratio_)
    error->all(FLERR, fmt::format("fix polypace/msd: the restart file was written with Nevery {:.0f} points {:.0f} "
                                  "ratio {:.0f}; give the same, or another fix ID to start anew",
                                  header[every], header[points], header[ratio]));
  const double n_numbers = size + 5 * header[n_sums] + header[n_beads] * (3 * header[n_kept] + 1);
  restart_.resize(static_cast<std::size_t>(n_numbers));
  std::memcpy(restart_.data(), buffer, 8 * restart_.size());
}

void FixRunningMsd::continue_from_restart(const std::vector<tagint>& tags) {
  const auto n_entries = static_cast<std::size_t>(restart_[n_sums]), kept = static_cast<std::size_t>(restart_[n_kept]);
  if (restart_[timestep] != update->dt || static_cast<bigint>(restart_[n_beads]) != n_beads_)
    error->all(FLERR, fmt::format("fix polypace/msd: the restart file has {:.0f} atoms and timestep {}, this run {} "
                                  "and {}", restart_[n_beads], restart_[timestep], n_beads_, update->dt));
  const double* next = restart_.data() + size;
  std::vector<Sums> sums(n_entries);
  for (auto& entry : sums) {
    entry.lag = static_cast<std::int64_t>(next[0]);
    entry.origins = static_cast<std::int64_t>(next[1]);
    if (comm->me == 0) {  // the sums of all ranks are added up again when they are written
      entry.g1 = next[2];
      entry.g2 = next[3];
      entry.g3 = next[4];
    }
    next += 5;
  }
  std::vector<double> positions(3 * kept * tags.size());
  std::size_t n_found = 0;
  for (bigint row = 0; row < n_beads_; ++row, next += 3 * kept + 1) {
    const auto bead = bead_of_tag_.find(static_cast<tagint>(next[0]));
    if (bead == bead_of_tag_.end()) continue;
    std::copy_n(next + 1, 3 * kept, &positions[3 * kept * bead->second]);
    ++n_found;
  }
  if (n_found != tags.size()) error->one(FLERR, "fix polypace/msd: the restart file lacks atoms of this group");
  msd_->restore(static_cast<std::int64_t>(restart_[n_samples]), std::move(sums), positions.data());
  last_sample_ = static_cast<bigint>(restart_[last_sample]);
  restart_.clear();
  restart_.shrink_to_fit();
}

}  // namespace polypace::lammps
