using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Supervision;

/// <summary>Runs a program, and again when it died.</summary>
/// <remarks>
/// All of it happens on the thread that calls <see cref="Run"/>: a process is told of its parent's death when
/// the thread that started it ends, so that must be one that stays.
/// </remarks>
/// <param name="options">What is supervised, and how patiently.</param>
/// <param name="say">Told, in a sentence, of what happens.</param>
[SupportedOSPlatform("linux")]
internal sealed class Supervisor(SupervisionOptions options, Action<string> say)
{
    /// <summary>Tells the program which attempt it is.</summary>
    internal const string AttemptVariable = "SNAPSHOT_RUN_ATTEMPT";

    private const int NoSuchFile = 2;

    private readonly StoreWatch? _store = options.Store is { } directory ? new StoreWatch(directory) : null;
    private readonly RestartCount _count = new(options.Restarts, options.Backoff, options.BackoffMax);
    private readonly List<AttemptReport> _attempts = [];

    /// <summary>Runs the program until it need not or must not be started again.</summary>
    /// <exception cref="CannotStartException">There is no such program; nothing was started.</exception>
    internal SupervisionReport Run()
    {
        string program = ProgramFile.Find(options.Program[0]);
        string[] line = [.. ParentDeath.Prefix(), program, .. options.Program.Skip(1)];
        using SignalRelay relay = new();
        _store?.HasNewGeneration();
        StoreExamination? finding = null;
        while (true)
        {
            long? before = _store?.Newest;
            DateTimeOffset started = DateTimeOffset.UtcNow;
            long begun = Stopwatch.GetTimestamp();
            if (Start(relay, line) is not { } exitCode) return Stopped(relay);
            TimeSpan lasted = Stopwatch.GetElapsedTime(begun);
            bool hasProgressed = _store?.HasNewGeneration() ?? false;

            Ending ending = new(exitCode);
            _attempts.Add(new AttemptReport(
                _attempts.Count, finding, started, lasted.TotalSeconds, exitCode, ending.Signal, before,
                _store?.Newest));
            if (relay.Stop is not null) return Report(SupervisionEnd.Stopped, exitCode);
            if (ending.IsWell) return Report(SupervisionEnd.Done, exitCode);
            if (!ending.IsDeath(options.OnlySignals)) return Report(SupervisionEnd.NotRestarted, exitCode);
            if (_count.Next(lasted, hasProgressed) is not { } wait)
                return Report(SupervisionEnd.RestartsUsedUp, exitCode);
            try
            {
                finding = Wait(wait, ending, lasted, relay.Stopping);
            }
            catch (OperationCanceledException)
            {
                return Stopped(relay);
            }
        }
    }

    /// <summary>Verifies the store, and lets the rest of the time pass.</summary>
    private StoreExamination? Wait(
        TimeSpan wait, Ending ending, TimeSpan lasted, CancellationToken cancellation)
    {
        TimeSpan rest = wait;
        StoreExamination? finding = null;
        if (_store is not null)
        {
            long begun = Stopwatch.GetTimestamp();
            finding = _store.Examine(cancellation);
            rest -= Stopwatch.GetElapsedTime(begun);
            if (rest < TimeSpan.Zero) rest = TimeSpan.Zero;
        }

        say(
            $"attempt {_attempts.Count - 1} {ending.Words} after {Readable.Duration(lasted)}; " +
            (finding is null ? "" : $"{finding.Words()}; ") +
            $"starting again in {Readable.Duration(rest)}, restart {_count.Used} of {options.Restarts}" +
            (_store?.Newest is { } newest ? $" since generation {newest}." : "."));
        cancellation.WaitHandle.WaitOne(rest);
        cancellation.ThrowIfCancellationRequested();
        return finding;
    }

    /// <summary>Runs the program once; null when a signal came before.</summary>
    private int? Start(SignalRelay relay, string[] line)
    {
        ProcessStartInfo start = new(line[0], line[1..]);
        start.Environment[AttemptVariable] = _attempts.Count.ToString(CultureInfo.InvariantCulture);
        try
        {
            return relay.Run(start);
        }
        catch (Win32Exception error)
        {
            // As setpriv says it where it comes between.
            say($"'{line[0]}' cannot be started: {error.Message}");
            return error.NativeErrorCode == NoSuchFile ? ExitCode.NoProgram : ExitCode.NotExecutable;
        }
    }

    private SupervisionReport Stopped(SignalRelay relay) =>
        Report(SupervisionEnd.Stopped, Ending.OfSignal(relay.Stop!.Value).ExitCode);

    private SupervisionReport Report(SupervisionEnd end, int exitCode) =>
        new(options.Program, end, exitCode, _attempts);
}
