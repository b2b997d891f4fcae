using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>Generations as rows; the names of files only where there is room for them.</summary>
internal static class GenerationTable
{
    private const int WidthForFiles = 100;

    internal static Table Create(IEnumerable<GenerationInfo> generations, int width)
    {
        string[] columns = [">Generation", "Kind", ">Needs", "Captured", ">Size", "File"];
        int shown = width >= WidthForFiles ? columns.Length : columns.Length - 1;
        Table table = Tables.Create(columns.AsSpan(0, shown)).Folding(1).Folding(3);
        foreach (GenerationInfo info in generations)
        {
            string[] cells =
            [
                Readable.Number(info.Generation),
                Kind(info),
                info.Parent is { } parent ? Readable.Number(parent) : "",
                Readable.Time(info.Created),
                Readable.Bytes(info.FileBytes),
                info.FileName,
            ];
            table.Add(cells.AsSpan(0, shown));
        }

        return table;
    }

    private static string Kind(GenerationInfo info) =>
        (info.Kind == GenerationKind.Full ? "full" : "incremental") +
        (info.IsPassedOver ? ", passed over" : "");
}
