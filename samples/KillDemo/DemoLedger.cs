namespace KillDemo;

/// <summary>What happened in a demo so far. Thread-safe.</summary>
internal sealed class DemoLedger
{
    private readonly Lock _lock = new();
    private readonly List<RunEvent.Committed> _generations = [];
    private readonly List<(int AfterGenerations, KillTarget Doing)> _kills = [];
    private long _step;
    private long? _restartedFrom;

    /// <summary>Told whenever something changed.</summary>
    internal event Action? Changed;

    internal long Step => Locked(() => _step);

    internal long? RestartedFrom => Locked(() => _restartedFrom);

    internal IReadOnlyList<RunEvent.Committed> Generations => Locked(() => _generations.ToArray());

    /// <summary>
    /// Each kill: after how many of <see cref="Generations"/>, and what the process was doing.
    /// </summary>
    internal IReadOnlyList<(int AfterGenerations, KillTarget Doing)> Kills => Locked(() => _kills.ToArray());

    internal void Take(RunEvent happened)
    {
        lock (_lock)
        {
            switch (happened)
            {
                case RunEvent.Started started:
                    _step = started.Step;
                    _restartedFrom = started.Generation;
                    break;
                case RunEvent.Progressed progressed:
                    _step = progressed.Step;
                    break;
                case RunEvent.Committed committed:
                    _generations.Add(committed);
                    break;
            }
        }

        Changed?.Invoke();
    }

    internal void TakeKill(KillTarget doing)
    {
        lock (_lock) _kills.Add((_generations.Count, doing));
        Changed?.Invoke();
    }

    internal DemoReport Report(
        RunEvent.Finished result, RunEvent.Finished expected, TimeSpan time, string? output)
    {
        lock (_lock)
        {
            double[] pauses = [.. _generations.Select(generation => generation.PauseMs).Order()];
            return new DemoReport
            {
                Equal = result == expected,
                Checksum = result.Checksum,
                ExpectedChecksum = expected.Checksum,
                Kills = _kills.Count,
                KillsInRestart = _kills.Count(kill => kill.Doing == KillTarget.Restart),
                KillsInDrain = _kills.Count(kill => kill.Doing == KillTarget.Drain),
                Generations = _generations.Count,
                PauseMsMedian = pauses.Length == 0 ? 0 : pauses[pauses.Length / 2],
                PauseMsMax = pauses.Length == 0 ? 0 : pauses[^1],
                BytesWritten = _generations.Sum(generation => generation.BytesWritten),
                BytesChanged = _generations.Sum(generation => generation.BytesChanged),
                Seconds = time.TotalSeconds,
                Summary = result.Summary,
                Output = output,
            };
        }
    }

    private T Locked<T>(Func<T> read)
    {
        lock (_lock) return read();
    }
}
