using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Snapshot.Mpi;
using Snapshot.Mpi.Protocol;

namespace Snapshot.TestPrograms;

/// <summary>What tests have the ranks of a job do. Each says what came of it, a line a rank.</summary>
internal static partial class RankScenes
{
    private const int Cells = 4096;
    private const int Between = 5;
    private const int UserSignal1 = 10;

    /// <summary>
    /// A ring of ranks that compute, with a checkpoint every few steps, to an end; or one of them is killed
    /// at a point of a generation.
    /// </summary>
    internal static int Ring(string directory, long steps, string point, int victim, int generation)
    {
        int taken = 0;
        MpiJobOptions options = new()
        {
            AtPoint = at =>
            {
                if (at == JobPoint.Agreed) taken++;
                if (point == at.ToString() && victim == s_rank && taken == generation) Die();
            },
        };
        using MpiJob job = MpiJob.Open(directory, options);
        s_rank = job.Communicator.Rank;
        Compute(job, steps);
        return 0;
    }

    /// <summary>What .NET makes of SIGSEGV and SIGFPE, before MPI is begun and after.</summary>
    internal static int Faults(string directory)
    {
        Catch("before");
        using MpiJob job = MpiJob.Open(directory);
        s_rank = job.Communicator.Rank;
        Catch("after");
        return 0;
    }

    /// <summary>A job after one that has ended MPI.</summary>
    internal static int Twice(string directory)
    {
        using (MpiJob job = MpiJob.Open(directory)) s_rank = job.Communicator.Rank;
        Tell(() => MpiJob.Open(directory).Dispose());
        return 0;
    }

    /// <summary>Ranks that do not do the same: what each of them is told.</summary>
    internal static int Apart(string directory, string what)
    {
        using MpiJob job = MpiJob.Open(directory);
        s_rank = job.Communicator.Rank;
        using Participant me = job.Session.Attach("main");
        job.Session.OpenArena("memory").Root<long>("step") = 1;
        Tell(() =>
        {
            switch (what)
            {
                case "steps":
                    for (long step = 0; step < 1000; step++) job.Poll(step >= 7 ? step + s_rank : step);
                    break;
                case "message":
                    if (s_rank == 0) job.Communicator.Send<long>([1, 2, 3], to: 1, tag: 42);
                    job.Checkpoint(1);
                    break;
                case "longer":
                    job.Communicator.Exchange<long>(
                        [1, 2, 3], 1 - s_rank, new long[s_rank == 1 ? 1 : 3], 1 - s_rank);
                    break;
                case "calls":
                    if (s_rank == 1) Say($"published {job.Checkpoint(1).Generation}");
                    for (long step = 0; step < 1000; step++) job.Poll(step);
                    break;
                case "closing":
                    if (s_rank == 1) return;
                    for (long step = 0; step < 1000; step++) job.Poll(step);
                    break;
            }
        });
        if (what == "blocked")
        {
            using (s_rank == 1 ? me.EnterBlockedRegion("MPI_Recv") : default)
                Tell(() => Say($"published {job.Checkpoint(1).Generation}"));
            Say($"published {job.Checkpoint(2).Generation}");
        }

        if (what != "message") return 0;

        // The job goes on when the message was received.
        if (s_rank == 1) job.Communicator.Receive<long>(new long[3], from: 0, tag: 42);
        Say($"published {job.Checkpoint(2).Generation}");
        return 0;
    }

    /// <summary>
    /// A program that is to end: by SIGUSR1 to one rank, which is sent when the others compute, by its time,
    /// or by that of a batch job, for which only rank 0 may ask.
    /// </summary>
    internal static int Ends(string directory, string by)
    {
        bool bySignal = by == "signal";
        MpiJobOptions options = new()
        {
            TimeLimit = by == "limit" ? TimeSpan.FromSeconds(60.2) : null,
            AsksBatchSystem = by == "batch",
            TimeMargin = TimeSpan.FromSeconds(60),
        };
        if (by == "batch")
        {
            bool isFirst = Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_RANK") == "0";
            long end = DateTimeOffset.UtcNow.AddSeconds(62).ToUnixTimeSeconds();
            Environment.SetEnvironmentVariable("SLURM_JOB_ID", "17");
            Environment.SetEnvironmentVariable("SLURM_JOB_END_TIME", isFirst ? $"{end}" : "of rank 0 alone");
        }

        using MpiJob job = MpiJob.Open(directory, options);
        s_rank = job.Communicator.Rank;
        job.CheckpointOnSignal((PosixSignal)UserSignal1);
        using Participant me = job.Session.Attach("main");
        ref long step = ref job.Session.OpenArena("memory").Root<long>("step");
        Say($"from {job.Restarted?.From.Generation ?? 0} at {step}");
        if (bySignal && s_rank == 1)
            Process.Start("kill", [$"-{UserSignal1}", $"{Environment.ProcessId}"]).Dispose();
        while (!job.IsEnding)
        {
            step++;
            job.Poll(step);
        }

        long there = step;
        Say($"ends at {job.Communicator.Max(there) - there}");
        return MpiJob.RunMeAgain;
    }

    /// <summary>One rank cannot do its part of the second of three checkpoints.</summary>
    internal static int Fails(string directory, string what)
    {
        bool isFailing = false;
        StoreOptions store = new() { MaxBytes = what == "drain" ? 8 << 20 : null };
        using MpiJob job = MpiJob.Open(
            directory, new MpiJobOptions { Session = new SnapshotOptions { Store = store } });
        s_rank = job.Communicator.Rank;
        Arena arena = job.Session.OpenArena("memory");
        ArenaArray<long> words = arena.RootArray<long>("words", 2 << 20);
        using Participant me = job.Session.Attach("main");
        List<long> told = [];
        using HandlerRegistration handler = job.Session.RegisterHandler("told", CheckpointHandler.Create(
            prepare: _ =>
            {
                if (what == "capture" && isFailing && s_rank == 1) throw new InvalidOperationException("no");
            },
            resume: static _ => { },
            committed: told.Add));
        for (int step = 1; step <= 3; step++)
        {
            isFailing = step == 2;
            string partial = Path.Combine(directory, "job.partial");
            if (what == "manifest" && isFailing && s_rank == 0) Directory.CreateDirectory(partial);
            if (what == "drain" && s_rank == 1) Fill(words.AsSpan(), isFailing, step);
            words[0] = step;
            Tell(() => Say($"published {job.Checkpoint(step).Generation} at {step}"));
            if (what == "manifest" && isFailing && s_rank == 0) Directory.Delete(partial);
        }

        me.Poll();
        return 0;
    }

    private static int s_rank;

    private static void Compute(MpiJob job, long steps)
    {
        Arena arena = job.Session.OpenArena("ring");
        ArenaArray<double> cells = arena.RootArray<double>("cells", Cells);
        ref long step = ref arena.Root<long>("step");
        using Participant me = job.Session.Attach("main");
        if (job.Restarted is null) cells[0] = s_rank + 1;
        Say(
            $"from {job.Restarted?.From.Generation ?? 0} at {step} skipped " +
            $"{job.Restarted?.Skipped.Count ?? 0}");
        while (step < steps)
        {
            Turn(job.Communicator, cells.AsSpan(), step);
            step++;
            if (step % Between == 0) job.Checkpoint(step);
            else job.Poll(step);
        }

        double sum = 0;
        foreach (double cell in cells.AsSpan()) sum += cell;
        Say($"ends with {BitConverter.DoubleToInt64Bits(job.Communicator.Sum(sum)):x16}");
    }

    private static void Turn(Communicator ranks, Span<double> cells, long step)
    {
        int right = (ranks.Rank + 1) % ranks.Size, left = (ranks.Rank + ranks.Size - 1) % ranks.Size;
        double from = 0;
        ranks.Exchange(cells[^1..], right, new Span<double>(ref from), left);
        cells[0] = from * 0.5 + step;
        for (int i = 1; i < cells.Length; i++) cells[i] = 0.5 * (cells[i] + cells[i - 1]);
    }

    private static void Fill(Span<long> words, bool isMuch, int seed)
    {
        Random random = new(seed);
        words.Clear();
        foreach (ref long word in isMuch ? words : words[..1024]) word = random.NextInt64();
    }

    private static void Die()
    {
        using Process self = Process.GetCurrentProcess();
        self.Kill();
    }

    private static void Catch(string when)
    {
        int caught = 0;
        try
        {
            Say(Null()!.Length.ToString(CultureInfo.InvariantCulture));
        }
        catch (NullReferenceException)
        {
            caught++;
        }

        try
        {
            Say((1 / Zero()).ToString(CultureInfo.InvariantCulture));
        }
        catch (DivideByZeroException)
        {
            caught++;
        }

        Say($"{when}: caught {caught}");
    }

    private static void Tell(Action act)
    {
        try
        {
            act();
        }
        catch (SnapshotException error)
        {
            Say($"{error.Code}: {error.Message}");
        }
        catch (InvalidOperationException error)
        {
            Say(error.Message);
        }
    }

    private static void Say(string text) => Console.WriteLine($"{s_rank}: {text}");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string? Null() => null;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Zero() => 0;
}
