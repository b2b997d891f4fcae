namespace Snapshot.Inspection;

/// <summary>
/// What kind of participant an image recorded. The values are part of the format, do not renumber.
/// </summary>
public enum ParticipantKind
{
    /// <summary>An ordinary thread that polls; its stack is not captured.</summary>
    Polled = 1,

    /// <summary>A thread that runs fibers; their frames are in an arena of the image.</summary>
    Fibers = 2,

    /// <summary>
    /// It stands for threads that run native code; their stacks are in an arena of the image.
    /// </summary>
    Native = 3,
}

/// <summary>A participant of the session at the capture.</summary>
public sealed class ParticipantDescription
{
    internal ParticipantDescription(int id, string name, ParticipantKind kind, IReadOnlyList<string> handlers)
    {
        Id = id;
        Name = name;
        Kind = kind;
        Handlers = handlers;
    }

    /// <summary>At least 1; the same for the same name after a restart.</summary>
    public int Id { get; }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>How it takes part.</summary>
    public ParticipantKind Kind { get; }

    /// <summary>The names of its sync handlers, in the order of registration.</summary>
    public IReadOnlyList<string> Handlers { get; }
}

/// <summary>An async handler of the session at the capture.</summary>
internal sealed class HandlerDescription
{
    internal HandlerDescription(int id, string name)
    {
        Id = id;
        Name = name;
    }

    /// <summary>At least 1; the same for the same name after a restart.</summary>
    internal int Id { get; }

    /// <summary>The name.</summary>
    internal string Name { get; }
}
