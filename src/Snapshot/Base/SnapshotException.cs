namespace Snapshot;

/// <summary>Every failure of the library that is not a wrong argument: what, where, and what to do.</summary>
public sealed class SnapshotException : Exception
{
    /// <summary>Makes an exception with its code and a message that says what to do.</summary>
    /// <param name="code">What went wrong.</param>
    /// <param name="message">What, where, and what to do.</param>
    /// <param name="inner">The cause, or null.</param>
    internal SnapshotException(SnapshotErrorCode code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>What went wrong.</summary>
    public SnapshotErrorCode Code { get; }

    /// <summary>The generation concerned, or null.</summary>
    public long? Generation { get; internal init; }

    /// <summary>The file or directory concerned, or null.</summary>
    public string? Path { get; internal init; }

    /// <summary>The offset in <see cref="Path"/> in bytes, or null.</summary>
    public long? Offset { get; internal init; }

    /// <summary>The step (a system call) that failed, or null.</summary>
    public string? Step { get; internal init; }

    /// <summary>The errno of <see cref="Step"/>, or null.</summary>
    public int? Errno { get; internal init; }

    /// <summary>The code a handler gave when it aborted, or null.</summary>
    public int? AbortCode { get; internal init; }
}
