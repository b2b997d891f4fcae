using System.Text.Json;
using System.Text.Json.Serialization;

namespace KillDemo;

/// <summary>The outcome of a demo, as its last line of JSON says it.</summary>
internal sealed record DemoReport
{
    /// <summary>
    /// Whether the final state and the results file equal those of an uninterrupted run, bit for bit.
    /// </summary>
    public required bool Equal { get; init; }

    /// <summary>XXH64 of the final state.</summary>
    public required string Checksum { get; init; }

    /// <summary>XXH64 of the final state of the uninterrupted run.</summary>
    public required string ExpectedChecksum { get; init; }

    public required int Kills { get; init; }

    /// <summary>Of these, how many hit a process that was starting or restoring its memory.</summary>
    public required int KillsInRestart { get; init; }

    /// <summary>Of these, how many hit a process that was draining or committing an image.</summary>
    public required int KillsInDrain { get; init; }

    /// <summary>Committed generations, as far as the runs lived to tell of them.</summary>
    public required int Generations { get; init; }

    public required double PauseMsMedian { get; init; }

    public required double PauseMsMax { get; init; }

    public required long BytesWritten { get; init; }

    public required long BytesChanged { get; init; }

    public required double Seconds { get; init; }

    /// <summary>What the run says of its result in words, or null.</summary>
    public string? Summary { get; init; }

    /// <summary>The path of the picture of the final state, or null when the sample makes none.</summary>
    public string? Output { get; init; }

    internal string ToLine() => JsonSerializer.Serialize(this, DemoJson.Default.DemoReport);
}
