#define POLYPACE_KERNEL_NAMESPACE portable
#define POLYPACE_VECTOR_BYTES 16
#define POLYPACE_REGISTER_VECTORS 2
#include "select/row_updates.inl"
