using Spectre.Console;

namespace Snapshot.Tool.Output;

/// <summary>Runs long work on a store beside a progress bar, if somebody watches.</summary>
internal static class ToolProgress
{
    internal static async Task<T> RunAsync<T>(
        ToolConsole console, string title, Func<IProgress<StoreProgress>?, Task<T>> work)
    {
        if (console.Progress is not { } terminal) return await work(null);
        return await terminal.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn { Width = 30 },
                new PercentageColumn(),
                new RemainingTimeColumn())
            .StartAsync(context =>
            {
                ProgressTask bar = context.AddTask(title, maxValue: 1);
                return work(new Reporter(bar, title));
            });
    }

    /// <summary>Forwards on the reporting thread; the bar is thread-safe and draws itself.</summary>
    private sealed class Reporter(ProgressTask bar, string title) : IProgress<StoreProgress>
    {
        public void Report(StoreProgress value)
        {
            bar.Description =
                $"{title} generation {value.Generation}, " +
                $"{Readable.Bytes(value.BytesDone)} of {Readable.Bytes(value.BytesTotal)}";
            bar.MaxValue = Math.Max(1, value.BytesTotal);
            bar.Value = value.BytesDone;
        }
    }
}
