#define POLYPACE_KERNEL_NAMESPACE avx2
#define POLYPACE_VECTOR_BYTES 32
#define POLYPACE_REGISTER_VECTORS 2
#include "select/row_updates.inl"
