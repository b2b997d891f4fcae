using System.Text.Json;
using System.Text.Json.Serialization;
using Snapshot.Storage;
using Snapshot.Tool.Commands;
using Snapshot.Tool.Stacks;
using Snapshot.Tool.Supervision;

namespace Snapshot.Tool.Output;

/// <summary>
/// What <c>--json</c> prints. Names are camelCase, enumerations are names, sizes are bytes, times are ISO
/// 8601.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters =
    [
        typeof(CamelCaseEnum<GenerationKind>),
        typeof(CamelCaseEnum<RegionKind>),
        typeof(CamelCaseEnum<ParticipantKind>),
        typeof(CamelCaseEnum<SnapshotErrorCode>),
        typeof(CamelCaseEnum<StoreFindingKind>),
        typeof(CamelCaseEnum<RecoveryOutcome>),
        typeof(CamelCaseEnum<SupervisionEnd>),
        typeof(CamelCaseEnum<Capability>),
        typeof(CamelCaseEnum<CaptureMode>),
        typeof(CamelCaseEnum<TrackingMechanism>),
        typeof(FiguresConverter),
    ])]
[JsonSerializable(typeof(IReadOnlyList<GenerationInfo>))]
[JsonSerializable(typeof(ImageDescription))]
[JsonSerializable(typeof(VerifyReport))]
[JsonSerializable(typeof(ExtractResult))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(JobReport))]
[JsonSerializable(typeof(JobImages))]
[JsonSerializable(typeof(JobPruneResult))]
[JsonSerializable(typeof(CompactResult))]
[JsonSerializable(typeof(PruneResult))]
[JsonSerializable(typeof(RollbackResult))]
[JsonSerializable(typeof(RecoverResult))]
[JsonSerializable(typeof(DoctorReport))]
[JsonSerializable(typeof(ProcessReport))]
[JsonSerializable(typeof(SupervisionReport))]
internal sealed partial class ToolJson : JsonSerializerContext;

/// <summary>An enumeration by the camelCase name of its member.</summary>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase)
    where T : struct, Enum;

/// <summary>Figures as one object, in their order.</summary>
internal sealed class FiguresConverter : JsonConverter<IReadOnlyList<KeyValuePair<string, string>>>
{
    public override IReadOnlyList<KeyValuePair<string, string>> Read(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("The tool only writes.");

    public override void Write(
        Utf8JsonWriter writer, IReadOnlyList<KeyValuePair<string, string>> value,
        JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach ((string name, string text) in value) writer.WriteString(name, text);
        writer.WriteEndObject();
    }
}
