// SPDX-License-Identifier: GPL-2.0-only
// The two styles and the files they read. One rank reads, the others get the bytes: thousands of ranks do not meet at
// one file.
#include <algorithm>
#include <variant>

#include <comm.h>

#include "base/errors.hpp"
#include "formats/fingerprint.hpp"
#include "formats/formats.hpp"
#include "formats/text_file.hpp"
#include "pair_ace.hpp"

namespace polypace::lammps {

using namespace LAMMPS_NS;

namespace {

// Throws on every rank, or on none.
std::string broadcast_file(const std::string& path, int rank, MPI_Comm world) {
  std::string content, problem;
  if (rank == 0) {
    try {
      content = formats::read_file(path);
    } catch (const std::exception& error) {
      problem = error.what();
    }
  }
  const auto broadcast = [&](std::string& text) {
    auto size = static_cast<long long>(text.size());
    MPI_Bcast(&size, 1, MPI_LONG_LONG, 0, world);
    text.resize(static_cast<std::size_t>(size));
    constexpr long long most = 1 << 30;  // MPI counts are int
    for (long long first = 0; first < size; first += most)
      MPI_Bcast(&text[first], static_cast<int>(std::min(most, size - first)), MPI_CHAR, 0, world);
  };
  broadcast(problem);
  require(problem.empty(), problem);
  broadcast(content);
  return content;
}

}  // namespace

PairPace::PairPace(LAMMPS* lammps) : PairAce(lammps, "pace", {"recursive", "product", "chunksize"}, 1) {}

ace::Evaluator PairPace::load(const std::vector<std::string>& files) {
  const auto potential = formats::parse_potential(broadcast_file(files[0], comm->me, world), files[0]);
  return std::visit([](const auto& form) { return ace::Evaluator(form); }, potential);
}

PairPaceExtrapolation::PairPaceExtrapolation(LAMMPS* lammps)
    : PairAce(lammps, "pace/extrapolation", {"chunksize"}, 2) {}

ace::Evaluator PairPaceExtrapolation::load(const std::vector<std::string>& files) {
  const auto any = formats::parse_potential(broadcast_file(files[0], comm->me, world), files[0]);
  require(std::holds_alternative<ace::BPotential>(any), "extrapolation grades need the B-basis functions, which ",
          files[0], " does not hold any more: give the .yaml that it was made from");
  const auto& potential = std::get<ace::BPotential>(any);
  std::string note;
  auto matrices = formats::parse_asi(broadcast_file(files[1], comm->me, world), files[1], &note);
  formats::check_active_set_note(note, potential, files[1]);
  ace::ActiveSet active_set;
  for (const auto& element : potential.elements) {
    const auto found = matrices.find(element);
    require(found != matrices.end(), files[1], " has no matrix for the element ", element, " of ", files[0],
            ": it belongs to another potential");
    active_set.matrices.push_back(std::move(found->second.values));
  }
  ace::Evaluator evaluator(potential);
  evaluator.set_active_set(active_set);
  const std::string kind = evaluator.active_set_is_full() ? "FULL" : "LINEAR";
  if (comm->me == 0) utils::logmesg(lmp, kind + " ASI is loaded\n");
  return evaluator;
}

}  // namespace polypace::lammps
