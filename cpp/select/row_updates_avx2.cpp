#define POLYPACE_KERNEL_NAMESPACE avx2
#include "select/row_updates.inl"
