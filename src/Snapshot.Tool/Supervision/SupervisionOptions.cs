namespace Snapshot.Tool.Supervision;

/// <summary>What is supervised, and how patiently.</summary>
/// <param name="Program">The program and its arguments.</param>
/// <param name="Store">The store it uses, or null when only the program knows.</param>
/// <param name="Restarts">Restarts in a row without a new generation.</param>
/// <param name="Backoff">The first wait before a restart.</param>
/// <param name="BackoffMax">The longest.</param>
/// <param name="OnlySignals">Whether an exit code other than 0 is no reason to start it again.</param>
internal sealed record SupervisionOptions(
    IReadOnlyList<string> Program,
    string? Store,
    int Restarts,
    TimeSpan Backoff,
    TimeSpan BackoffMax,
    bool OnlySignals);
