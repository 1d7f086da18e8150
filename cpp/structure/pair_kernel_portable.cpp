#define POLYPACE_KERNEL portable
#include "structure/pair_kernel.inc"
