#define POLYPACE_ISA avx512
#define POLYPACE_LANES 8
#include "dynamics/spectrum_kernels_impl.hpp"
