namespace Snapshot;

/// <summary>What kind of participant an image recorded. The values are part of the format, do not renumber.</summary>
public enum ParticipantKind
{
    /// <summary>An ordinary thread that polls; its stack is not captured.</summary>
    Polled = 1,

    /// <summary>A thread that runs fibers; their frames are in an arena of the image.</summary>
    Fibers = 2,

    /// <summary>It stands for threads that run native code; their stacks are in an arena of the image.</summary>
    Native = 3,
}

/// <summary>A participant of the session at the capture.</summary>
/// <param name="Id">At least 1; the same for the same name after a restart.</param>
/// <param name="Name">The name.</param>
/// <param name="Kind">How it takes part.</param>
/// <param name="Handlers">The names of its sync handlers, in the order of registration.</param>
public sealed record ParticipantDescription(int Id, string Name, ParticipantKind Kind, IReadOnlyList<string> Handlers);

/// <summary>An async handler of the session at the capture.</summary>
/// <param name="Id">At least 1; the same for the same name after a restart.</param>
/// <param name="Name">The name.</param>
public sealed record HandlerDescription(int Id, string Name);
