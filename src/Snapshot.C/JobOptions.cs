using Snapshot.C.Interface;
using Snapshot.Mpi;

namespace Snapshot.C;

/// <summary>What C says of a job, as the .NET library takes it.</summary>
internal static unsafe class JobOptions
{
    /// <exception cref="ArgumentException">A value is none; or it says of a session what a job decides.
    /// </exception>
    internal static MpiJobOptions Of(in CJobOptions options, in COptions session, int communicator)
    {
        RefuseWhatTheJobDecides(session);
        MpiJobOptions defaults = new();
        JobFlags flags = (JobFlags)options.Flags;
        return new MpiJobOptions
        {
            Session = SessionOptions.Of(session),
            Keep = options.Keep == 0 ? defaults.Keep : options.Keep,
            Interval = IntervalOf(options),
            TimeLimit = Seconds.OrNull(options.TimeLimit, "time_limit"),
            TimeMargin = Seconds.OrNull(options.TimeMargin, "time_margin") ?? defaults.TimeMargin,
            CheckMessages = !flags.HasFlag(JobFlags.IgnoreMessages),
            Communicator = communicator,
            Partner = flags.HasFlag(JobFlags.Partner),
            FailureDomain =
                Text.OrNull(options.FailureDomain, "failure_domain") ?? defaults.FailureDomain,
            SharedDirectory = Text.OrNull(options.SharedDirectory, "shared_directory"),
            SharedEvery = options.SharedEvery == 0
                ? defaults.SharedEvery
                : (int)Math.Clamp(options.SharedEvery, -1, int.MaxValue),
            CopyBytesPerSecond = options.CopyRate == 0 ? null : options.CopyRate,
            CopyProgress =
                options.OnCopy is null ? null : new CopyCallback(options.OnCopy, options.Argument),
        };
    }

    private static CheckpointInterval? IntervalOf(in CJobOptions options)
    {
        TimeSpan? interval = Seconds.OrNull(options.Interval, "interval");
        TimeSpan? mtbf = Seconds.OrNull(options.Mtbf, "mtbf");
        if (options.EverySteps < 0)
            throw new ArgumentException($"every_steps is {options.EverySteps}: it takes 0 or more.");
        int said = (options.EverySteps > 0 ? 1 : 0) + (interval is null ? 0 : 1) + (mtbf is null ? 0 : 1);
        if (said > 1)
        {
            throw new ArgumentException(
                "snapshot_job_options has one of every_steps, interval and mtbf at most.");
        }

        if (options.EverySteps > 0) return CheckpointInterval.EverySteps(options.EverySteps);
        if (interval is { } time) return CheckpointInterval.Every(time);
        return mtbf is { } mean ? CheckpointInterval.Auto(mean) : null;
    }

    private static void RefuseWhatTheJobDecides(in COptions session)
    {
        string? field =
            session.Start != (int)Start.Continue ? "start"
            : session.Generation != 0 ? "generation"
            : session.Tag is not null ? "tag"
            : ((OpenFlags)session.Flags).HasFlag(OpenFlags.AllowOlder) ? "SNAPSHOT_ALLOW_OLDER"
            : session.Keep != 0 ? "keep"
            : session.Interval != 0 ? "interval"
            : session.TimeLimit != 0 ? "time_limit"
            : session.TimeMargin != 0 ? "time_margin"
            : session.Signals is not null ? "signals"
            : null;
        if (field is null) return;
        throw new ArgumentException(
            $"The session of a job sets {field}: what it restarts from and when it is captured all ranks " +
            "decide together, by snapshot_job_options.");
    }
}
