#define POLYPACE_WIDTH 8
#define POLYPACE_KERNEL avx512
#define POLYPACE_KERNEL_NAME "avx512"
#include "ace/kernel_body.hpp"
