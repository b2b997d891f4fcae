using System.Diagnostics;

namespace HeatDiffusion;

/// <summary>
/// The demo: an uninterrupted run, then the same simulation killed at random moments and restarted each time, then the comparison.
/// </summary>
internal sealed class Demo(DemoOptions options, DemoLedger ledger)
{
    /// <summary>Runs that may end before their moment comes, for each kill asked for.</summary>
    private const int RunsPerKillMax = 20;

    /// <exception cref="HeatException">A run failed otherwise than by being killed.</exception>
    internal async Task<DemoReport> RunAsync(Action<string> say)
    {
        Stopwatch time = Stopwatch.StartNew();
        say("Running it once without interruption …");
        (RunEvent.Finished expected, KillPlan plan) = await RunReferenceAsync().ConfigureAwait(false);

        say($"Running it again with {options.Kills} kills (seed {options.Seed}) …");
        for (int runs = 0; ledger.Kills.Count < options.Kills; runs++)
        {
            if (runs == options.Kills * RunsPerKillMax)
                throw new HeatException($"{runs} runs were over before they could be killed {options.Kills} times; give it more --steps.");
            await RunAndKillAsync(plan, expected).ConfigureAwait(false);
        }

        RunEvent.Finished result = await RunToEndAsync(options.Heat, ledger.Take).ConfigureAwait(false);
        return ledger.Report(result, expected, time.Elapsed, options.Heat.Output!);
    }

    private static async Task<RunEvent.Finished> RunToEndAsync(HeatOptions heat, Action<RunEvent> observe)
    {
        using ChildRun child = ChildRun.Start(heat, observe);
        return await child.ResultAsync().ConfigureAwait(false);
    }

    /// <summary>What the result must be, and from the times of this run a plan that spreads the kills over the other.</summary>
    private async Task<(RunEvent.Finished Result, KillPlan Plan)> RunReferenceAsync()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("heat-reference-");
        try
        {
            HeatOptions uninterrupted = options.Heat with { Directory = directory.FullName, EverySteps = 0, Output = null };
            Stopwatch time = Stopwatch.StartNew();
            using ChildRun child = ChildRun.Start(uninterrupted, static _ => { });
            await child.Started.ConfigureAwait(false);
            TimeSpan start = time.Elapsed;
            RunEvent.Finished result = await child.ResultAsync().ConfigureAwait(false);
            TimeSpan compute = time.Elapsed - start;

            // A third of the kills let a run compute; each may use twice its share of the whole.
            return (result, new KillPlan(options.Seed, start, compute * (6.0 / (options.Kills + 3))));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>One run, which is killed when its moment comes; it may be over before.</summary>
    private async Task RunAndKillAsync(KillPlan plan, RunEvent.Finished expected)
    {
        KillMoment moment = plan.Next();
        using ChildRun child = ChildRun.Start(options.Heat with { Output = null }, happened => Observe(happened, plan));
        using CancellationTokenSource over = new();
        Task isTime = WaitForAsync(moment, child, over.Token);
        if (await Task.WhenAny(isTime, child.EndAsync()).ConfigureAwait(false) == isTime && await child.KillAsync().ConfigureAwait(false))
        {
            ledger.TakeKill(DoingOf(child));
            return;
        }

        await over.CancelAsync().ConfigureAwait(false);
        if (await child.ResultAsync().ConfigureAwait(false) != expected)
            throw new HeatException("A restarted run came to another result than the uninterrupted one.");
    }

    private void Observe(RunEvent happened, KillPlan plan)
    {
        if (happened is RunEvent.Committed image) plan.Drain = TimeSpan.FromMilliseconds(image.DrainMs + image.CommitMs);
        ledger.Take(happened);
    }

    private static async Task WaitForAsync(KillMoment moment, ChildRun child, CancellationToken cancellation)
    {
        if (moment.Target == KillTarget.Compute) await child.Started.WaitAsync(cancellation).ConfigureAwait(false);
        if (moment.Target == KillTarget.Drain) await child.NextCaptureAsync(cancellation).ConfigureAwait(false);
        await Task.Delay(moment.Delay, cancellation).ConfigureAwait(false);
    }

    private static KillTarget DoingOf(ChildRun child)
    {
        if (!child.HasStarted) return KillTarget.Restart;
        return child.LatestCheckpointEvent is RunEvent.Captured ? KillTarget.Drain : KillTarget.Compute;
    }
}
