using System.Diagnostics;

namespace KillDemo;

/// <summary>
/// The demo: an uninterrupted run, then the same simulation killed at random moments and restarted each time,
/// then the comparison.
/// </summary>
internal sealed class Demo(DemoOptions options, DemoLedger ledger)
{
    /// <summary>Runs that may end before their moment comes, for each kill asked for.</summary>
    private const int RunsPerKillMax = 20;

    /// <exception cref="RunException">A run failed otherwise than by being killed.</exception>
    internal async Task<DemoReport> RunAsync(Action<string> say)
    {
        Stopwatch time = Stopwatch.StartNew();
        say("Running it once without interruption …");
        (RunEvent.Finished expected, KillPlan plan) = await RunReferenceAsync().ConfigureAwait(false);

        say($"Running it again with {options.Kills} kills (seed {options.Seed}) …");
        for (int runs = 0; ledger.Kills.Count < options.Kills; runs++)
        {
            if (runs == options.Kills * RunsPerKillMax)
            {
                throw new RunException(
                    $"{runs} runs gave too little time for {options.Kills} kills; give it more --steps.");
            }

            await RunAndKillAsync(plan, expected, say).ConfigureAwait(false);
        }

        RunEvent.Finished result = await RunToEndAsync(options.Run, ledger.Take).ConfigureAwait(false);
        return ledger.Report(result, expected, time.Elapsed, options.Run.Output);
    }

    private static async Task<RunEvent.Finished> RunToEndAsync(RunOptions run, Action<RunEvent> observe)
    {
        using ChildRun child = ChildRun.Start(run, observe);
        return await child.ResultAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// What the result must be, and from the times of this run a plan that spreads the kills over the other.
    /// </summary>
    private async Task<(RunEvent.Finished Result, KillPlan Plan)> RunReferenceAsync()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-reference-");
        try
        {
            RunOptions uninterrupted =
                options.Run with { Directory = directory.FullName, EverySteps = 0, Output = null };
            Stopwatch time = Stopwatch.StartNew();
            using ChildRun child = ChildRun.Start(uninterrupted, static _ => { });
            await child.Started.ConfigureAwait(false);
            TimeSpan start = time.Elapsed;
            RunEvent.Finished result = await child.ResultAsync().ConfigureAwait(false);
            TimeSpan compute = time.Elapsed - start;

            return (result, new KillPlan(options.Seed, start, compute / (options.Kills + 1)));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>
    /// One run, which is killed when its moment comes. When it is over before, the next one begins from the
    /// beginning.
    /// </summary>
    private async Task RunAndKillAsync(KillPlan plan, RunEvent.Finished expected, Action<string> say)
    {
        KillMoment moment = plan.Next();
        using ChildRun child =
            ChildRun.Start(options.Run with { Output = null }, happened => Observe(happened, plan));
        using CancellationTokenSource over = new();
        Task isTime = WaitForAsync(moment, child, over.Token);
        Task first = await Task.WhenAny(isTime, child.EndAsync()).ConfigureAwait(false);
        if (first == isTime && await child.KillAsync().ConfigureAwait(false))
        {
            KillTarget doing = DoingOf(child);
            ledger.TakeKill(doing);
            say($"Killed {DemoScreen.Words(doing)}: {ledger.Kills.Count} of {options.Kills} kills.");
            return;
        }

        await over.CancelAsync().ConfigureAwait(false);
        if (await child.ResultAsync().ConfigureAwait(false) != expected)
        {
            throw new RunException(
                $"A restarted run came to another result; its files are in '{options.Run.Directory}'.");
        }

        Directory.Delete(options.Run.Directory, recursive: true);
    }

    private void Observe(RunEvent happened, KillPlan plan)
    {
        if (happened is RunEvent.Committed image)
            plan.Drain = TimeSpan.FromMilliseconds(image.DrainMs + image.CommitMs);
        ledger.Take(happened);
    }

    private static async Task WaitForAsync(KillMoment moment, ChildRun child, CancellationToken cancellation)
    {
        for (int checkpoint = 0; checkpoint < moment.Checkpoints; checkpoint++)
        {
            if (moment.Target == KillTarget.Compute)
                await child.NextCommitAsync(cancellation).ConfigureAwait(false);
            if (moment.Target == KillTarget.Drain)
                await child.NextCaptureAsync(cancellation).ConfigureAwait(false);
        }

        await Task.Delay(moment.Delay, cancellation).ConfigureAwait(false);
    }

    private static KillTarget DoingOf(ChildRun child)
    {
        if (!child.HasStarted) return KillTarget.Restart;
        return child.LatestCheckpointEvent is RunEvent.Captured ? KillTarget.Drain : KillTarget.Compute;
    }
}
