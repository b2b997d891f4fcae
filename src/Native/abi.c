/* abi.c: the handshake by which the C# part refuses a library of another build. */
#include "snapshot_native.h"

int32_t sn_abi_version(void)
{
    return SN_ABI_VERSION;
}
