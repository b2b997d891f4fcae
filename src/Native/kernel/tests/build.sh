#!/bin/sh
# Builds the runtime, the shim, the kernel modules of the tests, and the tests, into a directory:
# build.sh DIRECTORY. There: ./kernel_test 200 1; ./heap_test; ./kernel_bench 64 100
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
kernel=${here%/tests}
mkdir -p "$1"
cd "$1"
warnings='-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wconversion -g'
runtime='-O2 -fPIC -fno-stack-protector -ftls-model=initial-exec -fasynchronous-unwind-tables -fvisibility=hidden'

# shellcheck disable=SC2086
{
    gcc $warnings $runtime -shared -pthread -Wl,-Ttext-segment=0x1f0000000000 -Wl,-z,now,-z,relro,-Bsymbolic \
        -Wl,--build-id -o libsnapshot_kernel.so "$kernel"/*.c "$kernel"/*.S
    rm -rf shim libsnapshot_kernel_shim.a
    mkdir shim
    (cd shim && gcc $warnings $runtime -fno-builtin -ffunction-sections -c "$kernel"/shim/*.c)
    ar rcsD libsnapshot_kernel_shim.a shim/*.o

    SNAPSHOT_KERNEL_DIR=$PWD
    export SNAPSHOT_KERNEL_DIR
    module='-g -O2 -fstack-protector-all -fvisibility=hidden'
    sh "$kernel/snapshot-kernel" --slot 0 --no-runtime gcc $warnings $module -o libkernel_test_module.so \
        "$here/module.c" -lm
    sh "$kernel/snapshot-kernel" --slot 1 gcc $warnings $module -o libkernel_test_runtime.so "$here/runtime.c"
    sh "$kernel/snapshot-kernel" --slot 2 g++ -std=c++20 -Wall -Wextra -Werror $module -o libkernel_test_cxx.so \
        "$here/runtime_cxx.cc"

    gcc $warnings -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -pthread -o heap_test \
        "$here/heap_test.c" "$kernel/heap.c"
    for test in kernel_test kernel_bench; do
        gcc $warnings -O1 -pthread -o $test "$here/$test.c" "$here/host.c" -L. -lsnapshot_kernel -Wl,-rpath,'$ORIGIN'
    done
}
