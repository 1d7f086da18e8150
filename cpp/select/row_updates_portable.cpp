#define POLYPACE_KERNEL_NAMESPACE portable
#include "select/row_updates.inl"
