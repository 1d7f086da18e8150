#define POLYPACE_ISA avx2
#define POLYPACE_LANES 4
#include "dynamics/spectrum_kernels_impl.hpp"
