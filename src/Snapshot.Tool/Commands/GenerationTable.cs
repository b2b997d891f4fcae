using Snapshot.Tool.Output;
using Spectre.Console;

namespace Snapshot.Tool.Commands;

/// <summary>Generations as rows.</summary>
internal static class GenerationTable
{
    internal static Table Create(IEnumerable<GenerationInfo> generations)
    {
        Table table = Tables.Create(">Generation", "Kind", ">Needs", "Captured", ">Size", "File");
        foreach (GenerationInfo info in generations)
        {
            table.Add(
                Readable.Number(info.Generation),
                info.Kind == GenerationKind.Full ? "full" : "incremental",
                info.Parent is { } parent ? Readable.Number(parent) : "",
                Readable.Time(info.Created),
                Readable.Bytes(info.FileBytes),
                info.FileName);
        }

        return table;
    }
}
