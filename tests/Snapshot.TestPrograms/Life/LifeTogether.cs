using System.Diagnostics;
using System.Globalization;

namespace Snapshot.TestPrograms.Life;

/// <summary>
/// Everything at once: sessions that take checkpoints of an arena that grows and shrinks, restarted eagerly
/// or on demand, and beside them compaction, pruning, verification and a second opener, with a fault every
/// now and then.
/// </summary>
/// <remarks>
/// A line of standard input is a fault, <c>KIND NTH ACTION VALUE</c>; the next one is taken when the last has
/// hit, or a session is over. A fault that hits a page which is fetched on demand ends the process, as it
/// must: while pages come, calls that could hit them are left alone.
/// </remarks>
internal sealed class LifeTogether(string store, LifeLog log, int seed)
{
    private const int CheckpointsOfSession = 12;
    private const string GrownName = "grown";
    private const int FindingsMost = 20;
    private const int SessionsForMemory = 400;
    private const int MebibytesMore = 32;
    private const int GrowthLongs = 64 << 10;

    private static readonly RetentionPolicy s_keepTwo = new() { KeepLast = 2 };

    private readonly Random _random = new(seed);
    private readonly SortedDictionary<string, int> _done = new(StringComparer.Ordinal);
    private long _hits;

    internal int Run(TimeSpan time)
    {
        Rig.Watch(Path.GetDirectoryName(store)!);
        string folder = Path.GetDirectoryName(store)!;
        string[] descriptors = ProcessResources.Descriptors(folder), threads = [];
        List<long> resident = [];
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < time && log.Findings.Count < FindingsMost)
        {
            bool isLazy = _random.Next(3) == 0;
            Session(isLazy);
            Rig.Disarm();
            _hits += Rig.Hits;

            // What the runtime itself forgets when a call of its own fails is given back here.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            string[] left = ProcessResources.Descriptors(folder);
            if (left.Length > descriptors.Length)
                log.Find($"descriptors are left after {Rig.LastPath}: {string.Join(", ", left)}");
            descriptors = left;
            string[] leftThreads = ProcessResources.Threads(threads);
            if (leftThreads.Length > threads.Length)
                log.Find($"threads are left: {string.Join(", ", leftThreads)}");
            threads = leftThreads;
            resident.Add(ProcessResources.Resident());
        }

        Say(resident, started);
        return log.Findings.Count == 0 ? 0 : 3;
    }

    private void Say(List<long> resident, long started)
    {
        // The collector's heap finds its size in the first half.
        long[] tenths = [.. resident.Chunk(Math.Max(resident.Count / 10, 1)).Select(
            tenth => tenth.Max() >> 20)];
        if (resident.Count >= SessionsForMemory && tenths[^1] > tenths[tenths.Length / 2] + MebibytesMore)
            log.Find($"memory grows: {string.Join(' ', tenths)} MiB");
        string counts = string.Join(", ", _done.Select(done => $"{done.Key} {done.Value}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"summary {resident.Count} sessions in {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s, " +
            $"{log.Acknowledged.Count} generations acknowledged, {_hits} faults hit, {log.Told} errors " +
            $"told, memory in tenths {string.Join(' ', tenths)} MiB, {counts}"));
    }

    private void Session(bool isLazy)
    {
        ArmNext(isLazy);
        SnapshotSession? session = null;
        SnapshotOptions options = new()
        {
            Store = StoreLife.Options.Store,
            Tuning = new SnapshotTuning { EncoderThreads = 1 },
            Restart = new RestartOptions { Fill = isLazy ? RestartFill.Lazy : RestartFill.Eager },
        };
        if (!Try("open", () => session = SnapshotSession.Open(store, options))) return;
        using CancellationTokenSource ending = new();
        Task beside = Task.Run(() => Beside(session!, ending.Token));
        long[] buffer = LifeState.NewBuffer();
        LifeState? state = null;
        bool isOpen = Try("memory", () =>
        {
            state = LifeState.Open(session!, buffer);
            // What was grown when the image was taken has nobody who knows it.
            state.Arena.RemoveRoot(GrownName);
        });
        if (isOpen && IsRight(session!, state!))
        {
            for (int turn = 0; turn < CheckpointsOfSession; turn++) Checkpoint(session!, state!, isLazy);
        }

        // Half of the time what is beside is still at it when the session is closed.
        bool isClosedUnder = _random.Next(2) == 0;
        ending.Cancel();
        if (!isClosedUnder) beside.Wait();
        Try("close", session!.Dispose);
        beside.Wait();
        GC.KeepAlive(buffer);
    }

    private void Checkpoint(SnapshotSession session, LifeState state, bool isLazy)
    {
        if (Rig.Hits > 0) ArmNext(isLazy && session.Restarted?.Residency.Completed.IsCompleted == false);
        state.Go();
        long step = state.Step;
        Try("grow", () =>
            state.Arena.RootArray<long>(GrownName, _random.Next(1, GrowthLongs)).AsSpan().Fill(step));
        Try("checkpoint", () =>
            log.Acknowledge(session.RequestCheckpoint().WaitCommittedInThread().Generation, step));
        Try("shrink", () => state.Arena.RemoveRoot(GrownName));
    }

    private bool IsRight(SnapshotSession session, LifeState state)
    {
        long generation = session.Restarted?.Generation ?? 0;
        string? fault = state.Fault();
        if (fault is null && log.Acknowledged.TryGetValue(generation, out long step) && step != state.Step)
            fault = $"step {state.Step} instead of {step}";
        if (fault is null && log.Acknowledged.Count > 0 && generation < log.Acknowledged.Keys.Max())
            fault = $"generation {log.Acknowledged.Keys.Max()} was acknowledged";
        if (fault is not null) log.Find($"restarted from generation {generation}: {fault}");
        return fault is null;
    }

    private void Beside(SnapshotSession session, CancellationToken ending)
    {
        Random random = new(_random.Next());
        while (!ending.IsCancellationRequested)
        {
            switch (random.Next(4))
            {
                case 0:
                    Try("compact", () => CompactOne(session.Store, random));
                    break;
                case 1:
                    Try("prune", () => session.Store.PruneAsync(s_keepTwo).GetAwaiter().GetResult());
                    break;
                case 2:
                    Try("verify", Verify);
                    break;
                default:
                    Try("second opener", () =>
                    {
                        using SnapshotStore second = SnapshotStore.Open(store);
                        if (!ending.IsCancellationRequested) log.Find("a second opener came in");
                    });
                    break;
            }
        }
    }

    private static void CompactOne(SnapshotStore opened, Random random)
    {
        GenerationInfo[] listed = [.. opened.Generations];
        if (listed.Length == 0) return;
        opened.CompactAsync(listed[random.Next(listed.Length)].Generation).GetAwaiter().GetResult();
    }

    private void Verify()
    {
        using SnapshotStore opened = SnapshotStore.OpenReadOnly(store);
        opened.VerifyAsync().GetAwaiter().GetResult();
    }

    /// <summary>Does something that may fail as the library says it does; all else is a finding.</summary>
    private bool Try(string what, Action action)
    {
        string result = "done";
        try
        {
            action();
        }
        catch (SnapshotException error)
        {
            log.Tell(what, error);
            result = "told";
        }
        catch (Exception error) when (what is "compact" or "prune"
            && error is OperationCanceledException or ObjectDisposedException)
        {
            result = "closed";
        }
#pragma warning disable CA1031 // What is foreign is what is looked for.
        catch (Exception error)
#pragma warning restore CA1031
        {
            log.Find($"{what} threw {error}".Replace('\n', ' '));
            result = "foreign";
        }

        string key = $"{what} {result}";
        lock (_done) _done[key] = _done.GetValueOrDefault(key) + 1;
        return result == "done";
    }

    private void ArmNext(bool isComing)
    {
        _hits += Rig.Hits;
        Rig.Disarm();
        if (Console.In.ReadLine() is not { Length: > 0 } line) return;
        string[] parts = line.Split(' ');
        int kind = Rig.KindOf(parts[0]);
        if (isComing && (kind >= Rig.FileKinds || parts[0] is "read" or "fcntl")) return;
        Rig.Arm(
            kind, long.Parse(parts[1], CultureInfo.InvariantCulture),
            (RigAction)int.Parse(parts[2], CultureInfo.InvariantCulture),
            int.Parse(parts[3], CultureInfo.InvariantCulture), each: false);
    }
}
