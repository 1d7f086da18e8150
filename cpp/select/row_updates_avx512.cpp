#define POLYPACE_KERNEL_NAMESPACE avx512
#define POLYPACE_VECTOR_BYTES 64
#define POLYPACE_REGISTER_VECTORS 4
#include "select/row_updates.inl"
