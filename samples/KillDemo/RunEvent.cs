using System.Text.Json;
using System.Text.Json.Serialization;

namespace KillDemo;

/// <summary>What a run tells its observer while it runs, one line of JSON each.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(Started), "started")]
[JsonDerivedType(typeof(Progressed), "progress")]
[JsonDerivedType(typeof(Captured), "captured")]
[JsonDerivedType(typeof(Committed), "committed")]
[JsonDerivedType(typeof(Finished), "finished")]
internal abstract record RunEvent
{
    /// <summary>The threads are about to compute.</summary>
    /// <param name="Generation">The generation it was restarted from, or null.</param>
    /// <param name="Step">The first step to do.</param>
    internal sealed record Started(long? Generation, long Step) : RunEvent;

    internal sealed record Progressed(long Step) : RunEvent;

    /// <summary>Memory is captured; the image is being drained.</summary>
    internal sealed record Captured(long Generation) : RunEvent;

    /// <summary>A generation is durable.</summary>
    internal sealed record Committed(
        long Generation, long? Parent, long PagesChanged, long BytesChanged, long BytesWritten,
        double PauseMs, double DrainMs, double CommitMs) : RunEvent;

    /// <summary>All steps are done.</summary>
    /// <param name="Checksum">XXH64 of the final state.</param>
    /// <param name="ResultsChecksum">XXH64 of the results file.</param>
    /// <param name="Summary">What else is to be said of the result, in words; or null.</param>
    internal sealed record Finished(string Checksum, string ResultsChecksum, string? Summary = null)
        : RunEvent;

    internal string ToLine() => JsonSerializer.Serialize(this, DemoJson.Default.RunEvent);

    internal static RunEvent FromLine(string line) =>
        JsonSerializer.Deserialize(line, DemoJson.Default.RunEvent)
            ?? throw new JsonException("null is no event");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RunEvent))]
[JsonSerializable(typeof(DemoReport))]
internal sealed partial class DemoJson : JsonSerializerContext;
