namespace Snapshot.Base;

/// <summary>
/// Errors of Linux that the library tells apart; the same numbers on every architecture it runs on.
/// </summary>
internal static class Errno
{
    /// <summary>EPERM.</summary>
    internal const int NotPermitted = 1;

    /// <summary>ENOENT.</summary>
    internal const int NotFound = 2;

    /// <summary>EINTR.</summary>
    internal const int Interrupted = 4;

    /// <summary>EAGAIN, which is EWOULDBLOCK.</summary>
    internal const int TryAgain = 11;

    /// <summary>ENOMEM.</summary>
    internal const int NoMemory = 12;

    /// <summary>EFAULT.</summary>
    internal const int BadAddress = 14;

    /// <summary>EEXIST.</summary>
    internal const int Exists = 17;

    /// <summary>EINVAL.</summary>
    internal const int Invalid = 22;

    /// <summary>EFBIG: larger than the file system or <c>ulimit -f</c> allows.</summary>
    internal const int FileTooBig = 27;

    /// <summary>ENOSPC.</summary>
    internal const int NoSpace = 28;

    /// <summary>ERANGE: there is more than room for it.</summary>
    internal const int Range = 34;

    /// <summary>ENOSYS: an older kernel, or a filter.</summary>
    internal const int NotImplemented = 38;

    /// <summary>ELOOP: a symbolic link, where none is followed.</summary>
    internal const int Loop = 40;

    /// <summary>ETIMEDOUT.</summary>
    internal const int TimedOut = 110;

    /// <summary>EDQUOT.</summary>
    internal const int QuotaExceeded = 122;

    /// <summary>ESTALE.</summary>
    internal const int Stale = 116;
}
