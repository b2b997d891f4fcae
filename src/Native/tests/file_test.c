/*
 * file_test.c: O_DIRECT comes and goes on an open descriptor,
 * directories are made durable, errors are errnos.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void test_file(void)
{
    char path[] = "/tmp/snapshot-native-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);

    int32_t error = sn_file_set_direct(fd, 1);
    CHECK(error == 0 || error == EINVAL); /* EINVAL: a file system without direct I/O */
    if (error == 0)
        CHECK(fcntl(fd, F_GETFL) & O_DIRECT);
    CHECK_EQUAL(sn_file_set_direct(fd, 0), 0);
    CHECK_EQUAL(fcntl(fd, F_GETFL) & O_DIRECT, 0);
    CHECK_EQUAL(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    CHECK_EQUAL(sn_file_set_direct(-1, 1), EBADF);

    int ends[2];
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(sn_file_sync(fd), 0);
    CHECK_EQUAL(sn_file_sync(ends[1]), EINVAL); /* the errno of the call, whatever it is */
    CHECK_EQUAL(sn_file_sync(-1), EBADF);
    CHECK_EQUAL(close(ends[0]), 0);
    CHECK_EQUAL(close(ends[1]), 0);

    CHECK_EQUAL(sn_directory_sync("/tmp"), 0);
    CHECK_EQUAL(sn_directory_sync("/tmp/no such directory"), ENOENT);
    CHECK_EQUAL(sn_directory_sync(path), ENOTDIR);

    CHECK_EQUAL(close(fd), 0);
    CHECK_EQUAL(unlink(path), 0);
}
