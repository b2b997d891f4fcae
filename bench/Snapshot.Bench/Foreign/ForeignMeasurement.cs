using System.Diagnostics;

namespace Snapshot.Bench;

/// <summary>
/// How long the call takes that captures protected memory, watched where it is or hashed whole.
/// </summary>
internal sealed record ForeignMeasurement
{
    internal required ForeignSetup Setup { get; init; }

    internal required IReadOnlyList<SnapshotInfo> Rounds { get; init; }

    /// <summary>From the request until the memory was captured, of each round.</summary>
    internal required IReadOnlyList<double> CallMs { get; init; }

    /// <summary>What the program's writes before each round took.</summary>
    internal required IReadOnlyList<double> WritesMs { get; init; }

    /// <summary>What the same takes where all is hashed; NaN where that was not measured.</summary>
    internal double HashedCallMs { get; private init; } = double.NaN;

    internal double Call => Figures.Median(CallMs);

    internal TrackingMechanism Tracking => Rounds[^1].Capture.Regions[0].Tracking;

    internal double PagesTracked => Figures.Median(Rounds.Select(info => (double)info.Capture.PagesTracked));

    internal long PagesWritten => Rounds.Sum(info => info.PagesChanged);

    internal double OfPause(Func<PauseInfo, TimeSpan> part) =>
        Figures.Median(Rounds.Select(info => part(info.Capture.Pause).TotalMilliseconds));

    /// <exception cref="InvalidOperationException">One of the two missed a page.</exception>
    internal static IReadOnlyList<ForeignMeasurement> RunAll(
        IReadOnlyList<ForeignSetup> setups, BenchRun run)
    {
        long bytes = setups.Max(setup => setup.Bytes);
        Requirements.Memory(3 * bytes, $"{Figures.Size(bytes)} of memory and copies of it");
        Requirements.Disk(setups[0].Directory, 3 * bytes, "images of it");
        List<ForeignMeasurement> rows = [];
        foreach (ForeignSetup setup in setups)
        {
            run.Say(
                $"{(setup.IsDense ? PagePattern.Dense : PagePattern.Random)} pages, " +
                $"{setup.Offset} bytes into a page, {(setup.IsHashed ? "hashed" : "watched")}");
            rows.Add(Run(setup));
            ThrowUnlessEqual(rows.First(row => row.Setup.Memory == setup.Memory), rows[^1]);
        }

        ILookup<(long, int, bool), double> hashed =
            rows.Where(row => row.Setup.IsHashed).ToLookup(row => row.Setup.Memory, row => row.Call);
        return
        [
            .. rows.Select(row => row with
            {
                HashedCallMs = hashed[row.Setup.Memory].DefaultIfEmpty(double.NaN).First(),
            }),
        ];
    }

    private static unsafe ForeignMeasurement Run(ForeignSetup setup)
    {
        using StoreFolder folder = new(setup.Directory);
        SnapshotOptions options = new()
        {
            Tuning = new SnapshotTuning
            {
                Tracking = setup.IsHashed ? TrackingMechanism.ContentHash : TrackingMechanism.Auto,
                StagingLimit = setup.Bytes + (64L << 20),
            },
            Encoding = BlockEncoding.Lz4,
            Store = StoreFolder.NewestOnly,
        };
        using HugeMemory mapped = new(setup.Bytes + PagePattern.PageBytes);
        byte* memory = mapped.Pointer + setup.Offset;
        using SnapshotSession session = SnapshotSession.Create(folder.Path, options);
        for (long page = 0; page < setup.Pattern.Pages; page++)
            *(long*)(memory + (page * PagePattern.PageBytes)) = page + 1;
        session.Protect("foreign", memory, setup.Bytes);
        Random random = new(1);
        List<SnapshotInfo> rounds = [];
        List<double> calls = [], writes = [];
        for (int round = 0; round <= setup.Rounds; round++)
        {
            long[] chosen = setup.Pattern.Choose(random);
            long began = Stopwatch.GetTimestamp();
            foreach (long page in chosen) *(long*)(memory + (page * PagePattern.PageBytes) + 64) = round + 1;
            double wrote = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            began = Stopwatch.GetTimestamp();
            CheckpointTicket ticket = session.RequestCheckpoint();
            ticket.WaitCapturedInThread();
            double call = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            SnapshotInfo info = ticket.WaitCommittedInThread();

            // All is new to the first one.
            if (round == 0) continue;
            rounds.Add(info);
            calls.Add(call);
            writes.Add(wrote);
        }

        session.Unprotect("foreign");
        return new ForeignMeasurement { Setup = setup, Rounds = rounds, CallMs = calls, WritesMs = writes };
    }

    private static void ThrowUnlessEqual(ForeignMeasurement one, ForeignMeasurement other)
    {
        if (one.PagesWritten == other.PagesWritten) return;
        throw new InvalidOperationException(
            $"{one.PagesWritten} pages were written in one way, and {other.PagesWritten} in the other. One " +
            "of the two is wrong.");
    }
}
