using System.IO.Hashing;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HeatRanks;

/// <summary>The outcome of a demo, as its last line of JSON says it.</summary>
internal sealed record RanksReport
{
    /// <summary>Whether the plate equals that of an uninterrupted run, bit for bit.</summary>
    public required bool Equal { get; init; }

    /// <summary>XXH3 of the plate.</summary>
    public required string Checksum { get; init; }

    /// <summary>XXH3 of the plate of the uninterrupted run.</summary>
    public required string ExpectedChecksum { get; init; }

    public required string Mpi { get; init; }

    /// <summary>Of the program that the ranks ran.</summary>
    public required string Language { get; init; }

    public required int Ranks { get; init; }

    public required int Kills { get; init; }

    /// <summary>Of the kills, those that took all ranks of a host and its disk.</summary>
    public required int HostsLost { get; init; }

    /// <summary>The number of the newest published generation.</summary>
    public required long Generations { get; init; }

    public required double Seconds { get; init; }

    internal string ToLine() => JsonSerializer.Serialize(this, RanksJson.Default.RanksReport);

    /// <summary>Of the parts that the ranks wrote, in their order.</summary>
    internal static ulong ChecksumOf(RankOptions options, int ranks)
    {
        XxHash3 hash = new();
        for (int rank = 0; rank < ranks; rank++)
            hash.Append(File.ReadAllBytes($"{options.ResultPath}.{rank}"));
        return hash.GetCurrentHashAsUInt64();
    }
}

[JsonSerializable(typeof(RanksReport))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class RanksJson : JsonSerializerContext;
