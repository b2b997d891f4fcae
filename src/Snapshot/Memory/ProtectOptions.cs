namespace Snapshot;

/// <summary>When a protected buffer gets what the image has of it.</summary>
public enum ProtectFill
{
    /// <summary>When it is protected.</summary>
    Now,

    /// <summary>
    /// When <see cref="SnapshotSession.Fill"/> asks for it, and never if nobody asks: until then the buffer
    /// is captured as the program has it.
    /// </summary>
    Later,
}

/// <summary>How a buffer is protected.</summary>
public sealed class ProtectOptions
{
    /// <summary>When it is filled after a restart.</summary>
    public ProtectFill Fill { get; init; }

    /// <summary>
    /// Whether it is found changed by its content, whatever else could tell: needed where something writes it
    /// of which the processor's page tables know nothing, such as a device that had its pages pinned before
    /// (RDMA, registered buffers of io_uring). It costs a read of all of it inside the pause.
    /// </summary>
    public bool AlwaysHash { get; init; }
}
