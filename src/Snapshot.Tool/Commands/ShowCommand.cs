using System.CommandLine;
using System.Globalization;
using Snapshot.Mpi.Manifest;
using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary><c>snapshot show STORE [GENERATION]</c>: what one image says about itself.</summary>
internal sealed class ShowCommand : Command
{
    private const int PageBytes = 4096;

    internal ShowCommand(ToolConsole console)
        : base(
            "show",
            "Shows what an image holds: regions, roots, participants, encodings, and where it was made.")
    {
        Argument<string> path = CommandParts.Store();
        Option<bool> json = CommandParts.Json();
        Add(path);
        GenerationChoice generation = GenerationChoice.ByArgument(this, "the newest");
        Add(json);
        SetAction(
            parsed => Run(
                console, parsed.GetRequiredValue(path), generation.In(parsed), parsed.GetValue(json)));
    }

    private static int Run(ToolConsole console, string path, GenerationName asked, bool json)
    {
        if (JobSurvey.Of(path) is { } job)
        {
            JobShowing.Show(console, job, asked, json);
            return ExitCode.Fine;
        }

        using SnapshotStore store = SnapshotStore.OpenReadOnly(path);
        ImageDescription image = store.Describe(asked.OrNewest(store));
        if (json) console.WriteJson(image, ToolJson.Default.ImageDescription);
        else Print(console.Results, image);
        return ExitCode.Fine;
    }

    private static void Print(IAnsiConsole console, ImageDescription image)
    {
        PrintImage(console, image);
        if (image.Regions.Count > 0) PrintRegions(console, image);
        if (image.Roots.Count > 0) PrintRoots(console, image);
        if (image.Participants.Count + image.AsyncHandlers.Count > 0) PrintParticipants(console, image);
        if (image.Encodings.Count > 0) PrintEncodings(console, image);
        if (image.Figures.Count > 0)
        {
            console.Heading("\nCapture");
            console.Facts([.. image.Figures.Select(figure => (figure.Key, (string?)figure.Value))]);
        }
    }

    private static void PrintImage(IAnsiConsole console, ImageDescription image)
    {
        GenerationInfo info = image.Info;
        EnvironmentDescription? made = image.Environment;
        console.Heading($"Generation {Readable.Number(info.Generation)}");
        console.Facts(
            ("kind", info.Parent is { } parent
                ? $"incremental, needs generation {Readable.Number(parent)}" : "full"),
            ("tag", info.Tag),
            ("captured", Readable.Time(info.Created)),
            ("file", $"{info.FileName}, {Readable.Bytes(info.FileBytes)}"),
            ("format", image.FormatVersion.ToString()),
            ("architecture", image.Architecture),
            ("image id", info.ImageId.ToString("N")),
            ("made by", made is null
                ? null
                : $"Snapshot {made.LibraryVersion} on {made.RuntimeVersion}, " +
                    $"{made.OperatingSystem} {made.Architecture}"),
            ("machine", made?.MachineName),
            ("command", made?.ProcessCommand));
    }

    private static void PrintRegions(IAnsiConsole console, ImageDescription image)
    {
        console.Heading("\nRegions");
        console.Facts([.. image.Regions.Select(region => (region.Region.Name, (string?)Describe(region)))]);
    }

    private static string Describe(RegionStatistics statistics)
    {
        RegionDescription region = statistics.Region;
        string address = "0x" + region.BaseAddress.ToString("x", CultureInfo.InvariantCulture);
        string what = region.Kind == RegionKind.Arena
            ? $"arena at {address}, {Readable.Bytes(region.ByteLength)} of " +
                $"{Readable.Bytes(region.CapacityBytes)}" +
              (region.HugePages ? ", huge pages" : "")
            : $"buffer at {address}, {Readable.Bytes(region.ByteLength)}";
        string[] parts =
        [
            Part(statistics.PresentPages, "here"),
            Part(statistics.InParentPages, "in parent"),
            Part(statistics.ZeroPages, "zero"),
            Part(statistics.ExcludedPages, "excluded"),
            Readable.Count(statistics.ExtentCount, "extent"),
        ];
        return $"{what}\n{string.Join(", ", parts.Where(part => part.Length > 0))}";
    }

    private static string Part(long pages, string where) =>
        pages == 0 ? "" : $"{Readable.Bytes(pages * PageBytes)} {where}";

    private static void PrintRoots(IAnsiConsole console, ImageDescription image)
    {
        Dictionary<int, string> arenas = image.Regions.ToDictionary(
            region => region.Region.Id, region => region.Region.Name);
        console.Heading("\nRoots");
        Table table =
            Tables.Create("Name", "Type", ">Count", "Arena", ">Offset").Folding(0).Folding(1).Folding(3);
        foreach (RootDescription root in image.Roots)
        {
            table.Add(
                root.Name,
                root.TypeName,
                Readable.Number(root.Count),
                arenas.GetValueOrDefault(root.RegionId, $"region {root.RegionId}"),
                Readable.Number(root.Offset));
        }

        console.Print(table);
    }

    private static void PrintParticipants(IAnsiConsole console, ImageDescription image)
    {
        console.Heading("\nParticipants and handlers");
        Table table = Tables.Create(">Id", "Name", "Kind", "Handlers").Folding(1).Folding(3);
        foreach (ParticipantDescription participant in image.Participants)
        {
            table.Add(
                Readable.Number(participant.Id),
                participant.Name,
                participant.Kind switch
                {
                    ParticipantKind.Fibers => "fibers",
                    ParticipantKind.Native => "native threads",
                    _ => "polled thread",
                },
                string.Join(", ", participant.Handlers));
        }

        foreach (string handler in image.AsyncHandlers) table.Add("", handler, "async handler", "");
        console.Print(table);
    }

    private static void PrintEncodings(IAnsiConsole console, ImageDescription image)
    {
        console.Heading("\nEncodings");
        Table table = Tables.Create("Encoding", ">Blocks", ">Memory", ">Stored", ">Ratio").Folding(0);
        foreach (EncodingStatistics encoding in image.Encodings)
        {
            table.Add(
                encoding.Encoding,
                Readable.Number(encoding.BlockCount),
                Readable.Bytes(encoding.PageBytes),
                Readable.Bytes(encoding.StoredBytes),
                encoding.StoredBytes == 0
                    ? ""
                    : (encoding.PageBytes / (double)encoding.StoredBytes)
                        .ToString("0.00", CultureInfo.InvariantCulture));
        }

        console.Print(table);
    }
}
