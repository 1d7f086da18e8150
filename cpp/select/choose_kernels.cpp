#include "select/row_updates.hpp"

namespace polypace::select {

RowKernels choose_kernels() {
#ifdef POLYPACE_X86_KERNELS
  if (__builtin_cpu_supports("avx512f")) return avx512::row_kernels();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::row_kernels();
#endif
  return portable::row_kernels();
}

}  // namespace polypace::select
