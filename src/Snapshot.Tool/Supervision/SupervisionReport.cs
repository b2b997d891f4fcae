namespace Snapshot.Tool.Supervision;

/// <summary>Why a program was not started again.</summary>
internal enum SupervisionEnd
{
    /// <summary>It ended with exit code 0.</summary>
    Done,

    /// <summary>It died as often as it may without a new generation.</summary>
    RestartsUsedUp,

    /// <summary>It ended in a way that is its last word: asked to by a signal, or by an exit code.</summary>
    NotRestarted,

    /// <summary>The supervisor got SIGINT or SIGTERM.</summary>
    Stopped,
}

/// <summary>One process of a supervised program.</summary>
/// <param name="Number">From 0, as SNAPSHOT_RUN_ATTEMPT tells it.</param>
/// <param name="Store">What the store held before, or null for the first and without --store.</param>
/// <param name="Started">When it was started.</param>
/// <param name="Seconds">How long it ran.</param>
/// <param name="ExitCode">Its exit code; 128 + n when signal n ended it.</param>
/// <param name="Signal">The name of the signal that ended it, or null.</param>
/// <param name="GenerationBefore">The newest generation when it was started, or null.</param>
/// <param name="GenerationAfter">The newest generation when it had ended, or null.</param>
internal sealed record AttemptReport(
    int Number,
    StoreExamination? Store,
    DateTimeOffset Started,
    double Seconds,
    int ExitCode,
    string? Signal,
    long? GenerationBefore,
    long? GenerationAfter);

/// <summary>All that became of a supervised program.</summary>
/// <param name="Program">Its command line.</param>
/// <param name="End">Why it was not started again.</param>
/// <param name="ExitCode">What the supervisor ends with.</param>
/// <param name="Attempts">Its processes, in order.</param>
internal sealed record SupervisionReport(
    IReadOnlyList<string> Program, SupervisionEnd End, int ExitCode, IReadOnlyList<AttemptReport> Attempts);
