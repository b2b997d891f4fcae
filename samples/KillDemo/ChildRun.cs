using System.Diagnostics;

namespace KillDemo;

/// <summary>A run of the simulation in a process of its own, which can be killed.</summary>
internal sealed class ChildRun : IDisposable
{
    /// <summary>Of a process that SIGKILL ended, as shells have it.</summary>
    private const int KilledExitCode = 128 + 9;

    private readonly Process _process;
    private readonly Task _reading;
    private readonly Task<string> _errors;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _captures = new(0);
    private readonly SemaphoreSlim _commits = new(0);
    private bool _isKilled;

    private ChildRun(Process process, Action<RunEvent> observe)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
        _reading = Task.Run(() => ReadAsync(observe));
    }

    /// <summary>Ends when the run is about to compute, or has ended.</summary>
    internal Task Started => _started.Task;

    /// <summary>Whether the run came to the point of computing.</summary>
    internal bool HasStarted { get; private set; }

    /// <summary>
    /// What the run told last of its checkpoints: between Captured and Committed it is draining.
    /// </summary>
    internal RunEvent? LatestCheckpointEvent { get; private set; }

    /// <summary>What came out, when it ran to its end.</summary>
    internal RunEvent.Finished? Finished { get; private set; }

    internal static ChildRun Start(RunOptions options, Action<RunEvent> observe)
    {
        string program = Environment.ProcessPath!;
        // Started as `dotnet Sample.dll` this process is dotnet itself, which then needs the assembly.
        string[] assembly = Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? [Path.GetFullPath(Environment.GetCommandLineArgs()[0])]
            : [];
        ProcessStartInfo start = new(program, [.. assembly, "run", "--json", .. options.ToArguments()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new ChildRun(Process.Start(start)!, observe);
    }

    /// <summary>Ends with the next checkpoint that is captured.</summary>
    internal Task NextCaptureAsync(CancellationToken cancellation) => _captures.WaitAsync(cancellation);

    /// <summary>Ends with the next checkpoint that is committed.</summary>
    internal Task NextCommitAsync(CancellationToken cancellation) => _commits.WaitAsync(cancellation);

    /// <summary>Ends when the process has ended and all it said is read.</summary>
    internal Task EndAsync() => _reading;

    /// <summary>
    /// SIGKILL. Returns false when the run was over: then it is a result, even if its process had not quite
    /// ended.
    /// </summary>
    /// <exception cref="RunException">The process had failed before.</exception>
    internal async Task<bool> KillAsync()
    {
        _isKilled = true;
        _process.Kill();
        await EndAsync().ConfigureAwait(false);
        if (Finished is null && _process.ExitCode != KilledExitCode)
            throw await FailureAsync().ConfigureAwait(false);
        return Finished is null;
    }

    /// <exception cref="RunException">The process failed; with what it said.</exception>
    internal async Task<RunEvent.Finished> ResultAsync()
    {
        await EndAsync().ConfigureAwait(false);
        if (Finished is not null && (_process.ExitCode == 0 || _isKilled)) return Finished;
        throw await FailureAsync().ConfigureAwait(false);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
        _captures.Dispose();
        _commits.Dispose();
    }

    private async Task<RunException> FailureAsync()
    {
        string errors = (await _errors.ConfigureAwait(false)).Trim();
        return new RunException($"The simulation ended with exit code {_process.ExitCode}: {errors}");
    }

    private async Task ReadAsync(Action<RunEvent> observe)
    {
        try
        {
            while (await _process.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line)
            {
                // The last line of a killed process may be cut; a whole one ends with the brace of its
                // object.
                if (!line.EndsWith('}')) continue;
                Take(RunEvent.FromLine(line), observe);
            }

            await _process.WaitForExitAsync().ConfigureAwait(false);
        }
        finally
        {
            _started.TrySetResult();
        }
    }

    private void Take(RunEvent happened, Action<RunEvent> observe)
    {
        if (happened is RunEvent.Captured or RunEvent.Committed) LatestCheckpointEvent = happened;
        if (happened is RunEvent.Finished finished) Finished = finished;
        HasStarted |= happened is RunEvent.Started;
        observe(happened);
        if (HasStarted) _started.TrySetResult();
        if (happened is RunEvent.Captured) _captures.Release();
        if (happened is RunEvent.Committed) _commits.Release();
    }
}
