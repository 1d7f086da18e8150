#define POLYPACE_KERNEL_NAMESPACE avx512
#include "select/row_updates.inl"
