#!/bin/sh
# Builds the runtime, the shim, the native modules of the tests, and the tests, into a directory:
# build.sh DIRECTORY. There: ./threads_test 200 1; ./heap_test; ./threads_bench 64 100
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
threads=${here%/tests}
mkdir -p "$1"
cd "$1"
warnings='-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wconversion -g'
runtime='-O2 -fPIC -fno-stack-protector -ftls-model=initial-exec -fasynchronous-unwind-tables -fvisibility=hidden'

# shellcheck disable=SC2086
{
    gcc $warnings $runtime -shared -pthread -Wl,-Ttext-segment=0x1f0000000000 -Wl,-z,now,-z,relro,-Bsymbolic \
        -Wl,--build-id -o libsnapshot_threads.so "$threads"/*.c "$threads"/*.S
    rm -rf shim libsnapshot_threads_shim.a
    mkdir shim
    (cd shim && gcc $warnings $runtime -fno-builtin -ffunction-sections -c "$threads"/shim/*.c)
    ar rcsD libsnapshot_threads_shim.a shim/*.o

    SNAPSHOT_MODULE_DIR=$PWD
    export SNAPSHOT_MODULE_DIR
    module='-g -O2 -fstack-protector-all -fvisibility=hidden'
    sh "$threads/snapshot-cc" --base 0 --no-runtime --no-check gcc $warnings $module -o libthreads_test_module.so \
        "$here/module.c" -lm
    sh "$threads/snapshot-cc" --base 1 --no-check gcc $warnings $module -o libthreads_test_runtime.so "$here/runtime.c"
    sh "$threads/snapshot-cc" --base 2 --no-check g++ -std=c++20 -Wall -Wextra -Werror $module -o libthreads_test_cxx.so \
        "$here/runtime_cxx.cc"

    gcc $warnings -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -pthread -o heap_test \
        "$here/heap_test.c" "$threads/heap.c"
    for test in threads_test threads_bench; do
        gcc $warnings -O1 -pthread -o $test "$here/$test.c" "$here/host.c" -L. -lsnapshot_threads -Wl,-rpath,'$ORIGIN'
    done
}
