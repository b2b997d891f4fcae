/*
 * rig_files.c: the calls of files as libc has them, each in both names that it has for 64 bits.
 */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A second name of a function of this file. */
#define ALIAS(type, name, of, ...) type name(__VA_ARGS__) __attribute__((alias(#of)))

/* Makes the call, unless it is to fail without having been made. */
#define MAKE(call, number, ...) rig_end(&(call), rig_begin(&(call)) ? rig_raw(number, __VA_ARGS__) : -1)

static int open_at(int directory, const char *name, int flags, unsigned mode)
{
    char path[PATH_MAX];
    if (!rig_paths_at(directory, name, path, sizeof path)) {
        int fd = (int)rig_raw(SYS_openat, directory, name, flags, mode);
        rig_paths_set(fd, NULL);
        return fd;
    }
    struct rig_call call = { .kind = RIG_OPEN, .fd = directory, .path = path, .argument = (unsigned)flags };
    int fd = rig_begin(&call) ? (int)rig_raw(SYS_openat, directory, name, flags, mode) : -1;
    rig_paths_set(fd, path);
    return (int)rig_end(&call, fd);
}

static unsigned mode_of(int flags, va_list arguments)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, unsigned) : 0;
}

int open(const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_at(AT_FDCWD, name, flags, mode);
}
ALIAS(int, open64, open, const char *, int, ...);

int openat(int directory, const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_at(directory, name, flags, mode);
}
ALIAS(int, openat64, openat, int, const char *, int, ...);

int creat(const char *name, mode_t mode)
{
    return open_at(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
ALIAS(int, creat64, creat, const char *, mode_t);

/* As on Linux, a close that fails has closed. */
int close(int fd)
{
    char path[PATH_MAX];
    if (!rig_paths_get(fd, path, sizeof path))
        return (int)rig_raw(SYS_close, fd);
    struct rig_call call = { .kind = RIG_CLOSE, .fd = fd, .path = path };
    int passes = rig_begin(&call);
    rig_paths_set(fd, NULL);
    long result = rig_raw(SYS_close, fd);
    return (int)rig_end(&call, passes ? result : -1);
}

static ssize_t move_parts(
    enum rig_kind kind, int fd, const struct iovec *parts, int count, int64_t offset)
{
    char path[PATH_MAX];
    int is_read = kind == RIG_READ;
    int is_about = rig_paths_get(fd, path, sizeof path);
    struct rig_call call = { .kind = kind, .fd = fd, .path = path, .offset = offset };
    struct iovec cut[IOV_MAX];
    for (int part = 0; part < count; part++)
        call.length += parts[part].iov_len;
    size_t whole = call.length;
    if (is_about) {
        call.parts = is_read ? NULL : parts;
        call.part_count = is_read ? 0 : count;
        if (!rig_begin(&call))
            return rig_end(&call, -1);
    }
    if (call.length < whole) {
        size_t left = call.length;
        int kept = 0;
        for (; left > 0; kept++) {
            cut[kept] = parts[kept];
            if (cut[kept].iov_len > left)
                cut[kept].iov_len = left;
            left -= cut[kept].iov_len;
        }
        parts = cut;
        count = kept;
    }
    long result = offset >= 0
        ? rig_raw(is_read ? SYS_preadv : SYS_pwritev, fd, parts, count, offset, 0)
        : rig_raw(is_read ? SYS_readv : SYS_writev, fd, parts, count);
    return is_about ? rig_end(&call, result) : result;
}

ssize_t read(int fd, void *to, size_t length)
{
    struct iovec part = { to, length };
    return move_parts(RIG_READ, fd, &part, 1, -1);
}

ssize_t write(int fd, const void *from, size_t length)
{
    struct iovec part = { (void *)(uintptr_t)from, length };
    return move_parts(RIG_WRITE, fd, &part, 1, -1);
}

ssize_t pread(int fd, void *to, size_t length, off_t offset)
{
    struct iovec part = { to, length };
    return move_parts(RIG_READ, fd, &part, 1, offset);
}
ALIAS(ssize_t, pread64, pread, int, void *, size_t, off64_t);

ssize_t pwrite(int fd, const void *from, size_t length, off_t offset)
{
    struct iovec part = { (void *)(uintptr_t)from, length };
    return move_parts(RIG_WRITE, fd, &part, 1, offset);
}
ALIAS(ssize_t, pwrite64, pwrite, int, const void *, size_t, off64_t);

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    return move_parts(RIG_READ, fd, parts, count, -1);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return move_parts(RIG_WRITE, fd, parts, count, -1);
}

ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
    return move_parts(RIG_READ, fd, parts, count, offset);
}
ALIAS(ssize_t, preadv64, preadv, int, const struct iovec *, int, off64_t);

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    return move_parts(RIG_WRITE, fd, parts, count, offset);
}
ALIAS(ssize_t, pwritev64, pwritev, int, const struct iovec *, int, off64_t);

/* A call with a descriptor and up to four arguments. */
static long of_descriptor(struct rig_call call, long number, long a, long b, long c)
{
    char path[PATH_MAX];
    if (!rig_paths_get(call.fd, path, sizeof path))
        return rig_raw(number, call.fd, a, b, c);
    call.path = path;
    return MAKE(call, number, call.fd, a, b, c);
}

int fsync(int fd)
{
    return (int)of_descriptor((struct rig_call){ .kind = RIG_SYNC, .fd = fd }, SYS_fsync, 0, 0, 0);
}

int fdatasync(int fd)
{
    return (int)of_descriptor((struct rig_call){ .kind = RIG_SYNC, .fd = fd }, SYS_fdatasync, 0, 0, 0);
}

int ftruncate(int fd, off_t length)
{
    struct rig_call call = { .kind = RIG_TRUNCATE, .fd = fd, .offset = length };
    return (int)of_descriptor(call, SYS_ftruncate, length, 0, 0);
}
ALIAS(int, ftruncate64, ftruncate, int, off64_t);

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    struct rig_call call = {
        .kind = RIG_ALLOCATE, .fd = fd, .offset = offset + length, .argument = (unsigned)mode };
    return (int)of_descriptor(call, SYS_fallocate, mode, offset, length);
}
ALIAS(int, fallocate64, fallocate, int, int, off64_t, off64_t);

int posix_fallocate(int fd, off_t offset, off_t length)
{
    return fallocate(fd, 0, offset, length) < 0 ? errno : 0;
}
ALIAS(int, posix_fallocate64, posix_fallocate, int, off64_t, off64_t);

int flock(int fd, int operation)
{
    struct rig_call call = { .kind = RIG_LOCK, .fd = fd, .argument = (unsigned)operation };
    return (int)of_descriptor(call, SYS_flock, operation, 0, 0);
}

static int is_lock(int request)
{
    return request == F_SETLK || request == F_SETLKW || request == F_GETLK || request == F_OFD_SETLK
        || request == F_OFD_SETLKW || request == F_OFD_GETLK;
}

int fcntl(int fd, int request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    struct rig_call call = {
        .kind = is_lock(request) ? RIG_LOCK : RIG_FCNTL, .fd = fd, .argument = (unsigned)request };
    long result = of_descriptor(call, SYS_fcntl, request, argument, 0);
    char path[PATH_MAX];
    if ((request == F_DUPFD || request == F_DUPFD_CLOEXEC) && result >= 0)
        rig_paths_set((int)result, rig_paths_get(fd, path, sizeof path) ? path : NULL);
    return (int)result;
}
ALIAS(int, fcntl64, fcntl, int, int, ...);

static int rename_at(int from, const char *name, int to, const char *name2, unsigned flags)
{
    char path[PATH_MAX], path2[PATH_MAX];
    if (!rig_paths_at(from, name, path, sizeof path) || !rig_paths_at(to, name2, path2, sizeof path2))
        return (int)rig_raw(SYS_renameat2, from, name, to, name2, flags);
    struct rig_call call = { .kind = RIG_RENAME, .fd = -1, .path = path, .path2 = path2, .argument = flags };
    return (int)MAKE(call, SYS_renameat2, from, name, to, name2, flags);
}

int rename(const char *name, const char *name2)
{
    return rename_at(AT_FDCWD, name, AT_FDCWD, name2, 0);
}

int renameat(int from, const char *name, int to, const char *name2)
{
    return rename_at(from, name, to, name2, 0);
}

int renameat2(int from, const char *name, int to, const char *name2, unsigned flags)
{
    return rename_at(from, name, to, name2, flags);
}

static int link_at(int from, const char *name, int to, const char *name2, int flags)
{
    char path[PATH_MAX], path2[PATH_MAX];
    if (!rig_paths_at(from, name, path, sizeof path) || !rig_paths_at(to, name2, path2, sizeof path2))
        return (int)rig_raw(SYS_linkat, from, name, to, name2, flags);
    struct rig_call call = { .kind = RIG_LINK, .fd = -1, .path = path, .path2 = path2 };
    return (int)MAKE(call, SYS_linkat, from, name, to, name2, flags);
}

int link(const char *name, const char *name2)
{
    return link_at(AT_FDCWD, name, AT_FDCWD, name2, 0);
}

int linkat(int from, const char *name, int to, const char *name2, int flags)
{
    return link_at(from, name, to, name2, flags);
}

/* A call with a directory, a name and up to three arguments. */
static long of_name(struct rig_call call, const char *name, long number, long a, long b, long c)
{
    char path[PATH_MAX];
    if (!rig_paths_at(call.fd, name, path, sizeof path))
        return rig_raw(number, call.fd, name, a, b, c);
    call.path = path;
    return MAKE(call, number, call.fd, name, a, b, c);
}

int unlinkat(int directory, const char *name, int flags)
{
    struct rig_call call = { .kind = RIG_UNLINK, .fd = directory, .argument = (unsigned)flags };
    return (int)of_name(call, name, SYS_unlinkat, flags, 0, 0);
}

int unlink(const char *name)
{
    return unlinkat(AT_FDCWD, name, 0);
}

int rmdir(const char *name)
{
    return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int mkdirat(int directory, const char *name, mode_t mode)
{
    return (int)of_name((struct rig_call){ .kind = RIG_MKDIR, .fd = directory }, name, SYS_mkdirat, mode, 0, 0);
}

int mkdir(const char *name, mode_t mode)
{
    return mkdirat(AT_FDCWD, name, mode);
}

int fchmod(int fd, mode_t mode)
{
    struct rig_call call = { .kind = RIG_CHANGE_MODE, .fd = fd, .argument = mode };
    return (int)of_descriptor(call, SYS_fchmod, mode, 0, 0);
}

int chmod(const char *name, mode_t mode)
{
    struct rig_call call = { .kind = RIG_CHANGE_MODE, .fd = AT_FDCWD, .argument = mode };
    return (int)of_name(call, name, SYS_fchmodat, mode, 0, 0);
}

int fchown(int fd, uid_t owner, gid_t group)
{
    return (int)of_descriptor((struct rig_call){ .kind = RIG_CHANGE_MODE, .fd = fd }, SYS_fchown, owner, group, 0);
}

int access(const char *name, int mode)
{
    return (int)of_name((struct rig_call){ .kind = RIG_ACCESS, .fd = AT_FDCWD }, name, SYS_faccessat, mode, 0, 0);
}

int faccessat(int directory, const char *name, int mode, int flags)
{
    struct rig_call call = { .kind = RIG_ACCESS, .fd = directory };
    return (int)of_name(call, name, flags == 0 ? SYS_faccessat : SYS_faccessat2, mode, flags, 0);
}

ssize_t readlinkat(int directory, const char *name, char *to, size_t bytes)
{
    struct rig_call call = { .kind = RIG_ACCESS, .fd = directory };
    return of_name(call, name, SYS_readlinkat, (long)to, (long)bytes, 0);
}

ssize_t readlink(const char *name, char *to, size_t bytes)
{
    return readlinkat(AT_FDCWD, name, to, bytes);
}

int fstatat(int directory, const char *name, struct stat *to, int flags)
{
    struct rig_call call = { .kind = RIG_STAT, .fd = directory, .argument = (unsigned)flags };
    return (int)of_name(call, name, SYS_newfstatat, (long)to, flags, 0);
}
ALIAS(int, fstatat64, fstatat, int, const char *, struct stat64 *, int);

int stat(const char *name, struct stat *to)
{
    return fstatat(AT_FDCWD, name, to, 0);
}
ALIAS(int, stat64, stat, const char *, struct stat64 *);

int lstat(const char *name, struct stat *to)
{
    return fstatat(AT_FDCWD, name, to, AT_SYMLINK_NOFOLLOW);
}
ALIAS(int, lstat64, lstat, const char *, struct stat64 *);

int fstat(int fd, struct stat *to)
{
    return (int)of_descriptor((struct rig_call){ .kind = RIG_STAT, .fd = fd }, SYS_fstat, (long)to, 0, 0);
}
ALIAS(int, fstat64, fstat, int, struct stat64 *);

/* What a library has that was linked against an older libc. */
int __xstat64(int version, const char *name, struct stat *to);
int __lxstat64(int version, const char *name, struct stat *to);
int __fxstat64(int version, int fd, struct stat *to);

int __xstat64(int version, const char *name, struct stat *to)
{
    (void)version;
    return stat(name, to);
}

int __lxstat64(int version, const char *name, struct stat *to)
{
    (void)version;
    return lstat(name, to);
}

int __fxstat64(int version, int fd, struct stat *to)
{
    (void)version;
    return fstat(fd, to);
}

int statx(int directory, const char *name, int flags, unsigned mask, struct statx *to)
{
    char path[PATH_MAX];
    if (!rig_paths_at(directory, name, path, sizeof path))
        return (int)rig_raw(SYS_statx, directory, name, flags, mask, to);
    struct rig_call call = { .kind = RIG_STAT, .fd = directory, .path = path };
    return (int)MAKE(call, SYS_statx, directory, name, flags, mask, to);
}
