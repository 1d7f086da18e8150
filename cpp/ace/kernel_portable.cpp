#define POLYPACE_WIDTH 2
#define POLYPACE_KERNEL portable
#define POLYPACE_KERNEL_NAME "portable"
#include "ace/kernel_body.hpp"
