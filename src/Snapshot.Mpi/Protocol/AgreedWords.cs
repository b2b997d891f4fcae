namespace Snapshot.Mpi.Protocol;

/// <summary>
/// What ranks tell each other in one reduction: words of 64 bits, of which each rank gets the greatest that
/// one of them gave.
/// </summary>
internal static class AgreedWords
{
    /// <summary>The step at which the rank polls.</summary>
    internal const int Step = 0;

    /// <summary>The same with the other sign, which makes a maximum the minimum.</summary>
    internal const int MinusStep = 1;

    /// <summary>1: it wants a checkpoint. 2: and the program to end after that.</summary>
    internal const int Request = 2;

    /// <summary>1: its image is not durable yet.</summary>
    internal const int Undrained = 3;

    /// <summary>1: its image, or the manifest, cannot be written.</summary>
    internal const int Failed = 4;

    /// <summary>1: it keeps a manifest, and the one with the generation is not durable yet.</summary>
    internal const int Unpublished = 5;

    /// <summary>Polls until the next reduction but one, as the rank would have them.</summary>
    internal const int Period = 6;

    /// <summary>Which method of the job the rank is in: a <see cref="JobCall"/>.</summary>
    internal const int Call = 7;

    /// <summary>The same with the other sign.</summary>
    internal const int MinusCall = 8;

    /// <summary>Of each level, in their order: a <see cref="LevelWord"/>.</summary>
    internal const int FirstLevel = 9;

    internal const int Count = FirstLevel + 2;
}

/// <summary>
/// What a rank says of its part in copying a generation to a level; the greatest of all is agreed.
/// </summary>
internal enum LevelWord
{
    Done,

    /// <summary>Its part is over, and went wrong.</summary>
    Failed,

    /// <summary>Others wait for it, whatever went wrong with them.</summary>
    Working,
}

/// <summary>The methods of a job that ranks call together.</summary>
internal enum JobCall
{
    Poll,
    Checkpoint,
    Close,
}
