using System.Globalization;

namespace Snapshot.Machines;

/// <summary>What became of a job in a guest.</summary>
/// <param name="Lines">What the console showed.</param>
/// <param name="StuckAfter">
/// The last line before the guest was silent for too long and was ended; null when it was not. Lines that
/// follow tell where its programs stood.
/// </param>
/// <param name="Time">From its start to its end.</param>
/// <param name="Silence">How long that is.</param>
internal sealed record GuestResult(
    IReadOnlyList<string> Lines, string? StuckAfter, TimeSpan Time, TimeSpan Silence)
{
    /// <summary>The exit code of the job, or null when the guest ended without one.</summary>
    internal int? ExitCode { get; } = Lines.Select(Job.ExitCodeIn).LastOrDefault(code => code is not null);

    /// <summary>
    /// What the emulator printed; when it is ended from outside it says so here, and nowhere else.
    /// </summary>
    internal string EmulatorSaid { get; init; } = "";

    private string LastLine => Lines.Count == 0 ? "" : Lines[^1];

    /// <summary>What went wrong, in words; null when the job ended with exit code 0.</summary>
    internal string? Failure => this switch
    {
        { StuckAfter: { } last } => string.Create(
            CultureInfo.InvariantCulture,
            $"the job is stuck: it printed nothing for {Silence.TotalSeconds:F0} s; last was '{last}'"),
        { ExitCode: null } => $"the guest ended before its job; last was '{LastLine}'" +
            (EmulatorSaid.Length == 0 ? "" : $"; the emulator said: {EmulatorSaid}"),
        { ExitCode: 0 } => null,
        _ => string.Create(CultureInfo.InvariantCulture, $"the job ended with exit code {ExitCode}"),
    };
}
