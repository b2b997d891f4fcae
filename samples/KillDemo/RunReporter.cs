using System.Globalization;

namespace KillDemo;

/// <summary>
/// Writes the events of a run: as lines of JSON for a program, or as sentences. Thread-safe.
/// </summary>
internal sealed class RunReporter(TextWriter output, bool isJson)
{
    private readonly Lock _lock = new();

    internal void Report(RunEvent happened)
    {
        string? line = isJson ? happened.ToLine() : Sentence(happened);
        if (line is null) return;
        lock (_lock)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }

    private static string? Sentence(RunEvent happened) => happened switch
    {
        RunEvent.Started { Generation: { } from } started =>
            $"Restarted from generation {from}, at step {started.Step}.",
        RunEvent.Started => "Started.",
        RunEvent.Committed image => string.Create(
            CultureInfo.InvariantCulture,
            $"Generation {image.Generation}: {image.PagesChanged} pages changed, {image.BytesWritten} " +
            $"bytes written, pause {image.PauseMs:F3} ms, drain {image.DrainMs:F1} ms."),
        RunEvent.Finished end =>
            $"Finished. Checksum of the final state {end.Checksum}, of the results {end.ResultsChecksum}." +
            (end.Summary is null ? "" : $"\n{end.Summary}"),
        _ => null,
    };
}
