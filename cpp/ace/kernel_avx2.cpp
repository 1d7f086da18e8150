#define POLYPACE_WIDTH 4
#define POLYPACE_KERNEL avx2
#define POLYPACE_KERNEL_NAME "avx2"
#include "ace/kernel_body.hpp"
