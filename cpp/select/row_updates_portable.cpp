#define POLYPACE_KERNEL_NAMESPACE portable
#define POLYPACE_VECTOR_BYTES 16
#define POLYPACE_REGISTER_VECTORS 2
#define POLYPACE_REGISTER_ROWS 4
#include "select/row_updates.inl"
