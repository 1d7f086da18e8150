#define POLYPACE_KERNEL avx2
#include "structure/pair_kernel.inc"
