namespace Snapshot.Coordination;

/// <summary>What the stacks are that a participant stands for.</summary>
internal enum StackKind
{
    /// <summary>Its own, which is not captured.</summary>
    OfThread,

    /// <summary>Frames of fibers in an arena.</summary>
    Fibers,

    /// <summary>Stacks of native threads in an arena.</summary>
    Native,
}
