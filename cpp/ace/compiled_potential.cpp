#include "ace/compiled_potential.hpp"

#include <algorithm>
#include <type_traits>

#include "base/errors.hpp"

namespace polypace::ace {

template <class Potential>
CompiledPotential::CompiledPotential(const Potential& potential)
    : header_(potential), has_functions_(std::is_same_v<Potential, BPotential>) {
  require(potential.functions.size() == potential.elements.size(),
          "a potential needs one list of functions per element, got ", potential.functions.size(), " for ",
          potential.elements.size(), " elements");
  Potential uniform = potential;
  for (const auto& bond : uniform.bonds)
    if (bond.defined) inner_ = bond.inner;
  for (auto& bond : uniform.bonds) bond.inner = inner_;
  for (int mu = 0; mu < potential.n_species(); ++mu)
    programs_.push_back(std::make_unique<CompiledProgram>(compile(uniform, mu)));
}

template CompiledPotential::CompiledPotential(const BPotential&);
template CompiledPotential::CompiledPotential(const CTildePotential&);

int CompiledPotential::most(int Program::*member) const {
  int most = 0;
  for (const auto& compiled : programs_) most = std::max(most, compiled->program().*member);
  return most;
}

const kernel::Functions* choose_kernel(Instructions instructions) {
#if defined(__x86_64__)
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl") && has_avx2;
  require(instructions != Instructions::avx2 || has_avx2, "this processor has no AVX2; use portable");
  require(instructions != Instructions::avx512 || has_avx512, "this processor has no AVX-512; use avx2 or portable");
  if (instructions == Instructions::avx512 || (instructions == Instructions::best && has_avx512))
    return &kernel::avx512;
  if (instructions == Instructions::avx2 || (instructions == Instructions::best && has_avx2)) return &kernel::avx2;
#else
  require(instructions == Instructions::best || instructions == Instructions::portable,
          "AVX instructions exist on x86-64 processors only; use portable");
#endif
  return &kernel::portable;
}

}  // namespace polypace::ace
