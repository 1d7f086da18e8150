#define POLYPACE_ISA portable
#define POLYPACE_LANES 2
#include "dynamics/spectrum_kernels_impl.hpp"
