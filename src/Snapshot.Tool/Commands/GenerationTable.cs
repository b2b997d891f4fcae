using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>
/// Generations as rows; tags where there are any, the names of files where there is room for them.
/// </summary>
internal static class GenerationTable
{
    private const int WidthForFiles = 100;
    private const int TagColumn = 5;

    internal static Table Create(IEnumerable<GenerationInfo> generations, int width)
    {
        GenerationInfo[] rows = [.. generations];
        bool hasTags = rows.Any(info => info.Tag is not null);
        bool hasFiles = width >= WidthForFiles;
        Table table = Tables.Create([
            ">Generation", "Kind", ">Needs", "Captured", ">Size", .. Only(hasTags, "Tag"),
            .. Only(hasFiles, "File")]).Folding(1).Folding(3);
        if (hasTags) table.Folding(TagColumn);
        foreach (GenerationInfo info in rows)
        {
            table.Add([
                Readable.Number(info.Generation),
                Kind(info),
                info.Parent is { } parent ? Readable.Number(parent) : "",
                Readable.Time(info.Created),
                Readable.Bytes(info.FileBytes),
                .. Only(hasTags, info.Tag ?? ""),
                .. Only(hasFiles, info.FileName),
            ]);
        }

        return table;
    }

    private static string[] Only(bool isShown, string text) => isShown ? [text] : [];

    private static string Kind(GenerationInfo info) =>
        (info.Kind == GenerationKind.Full ? "full" : "incremental") +
        (info.IsPassedOver ? ", passed over" : "");
}
