using System.CommandLine;
using System.Globalization;
using Snapshot.Inspection;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Commands;

/// <summary>What an extraction wrote.</summary>
/// <param name="Generation">Whose memory it is.</param>
/// <param name="Region">Its name.</param>
/// <param name="Offset">Of the first byte, in the region.</param>
/// <param name="Bytes">How many were written.</param>
/// <param name="File">The full path of the file.</param>
internal sealed record ExtractResult(long Generation, string Region, long Offset, long Bytes, string File);

/// <summary>
/// <c>snapshot extract STORE REGION FILE</c>: writes the memory of a region into a file.
/// </summary>
internal sealed class ExtractCommand : Command
{
    private const int PieceBytes = 4 << 20;

    internal ExtractCommand(ToolConsole console)
        : base(
            "extract",
            "Writes the memory of a region, an arena or a protected buffer, into a new file, as a " +
            "generation has it. Offsets are those that 'snapshot show' tells of roots.")
    {
        Argument<string> path = CommandParts.Store();
        Argument<string> region = new("REGION") { Description = "The name of the region." };
        Argument<string> file = new("FILE") { Description = "The file to make; it must not exist." };
        Option<long?> offset =
            Bytes("--offset", "The first byte to write, from the beginning of the region.");
        Option<long?> length = Bytes("--length", "How many bytes to write; all that follow when omitted.");
        Option<bool> json = CommandParts.Json();
        Add(path);
        Add(region);
        Add(file);
        GenerationChoice generation = GenerationChoice.ByOption(this, "the newest");
        Add(offset);
        Add(length);
        Add(json);
        SetAction((parsed, cancellation) => RunAsync(
            console, parsed.GetRequiredValue(path), parsed.GetRequiredValue(region),
            parsed.GetRequiredValue(file), generation.In(parsed), parsed.GetValue(offset) ?? 0,
            parsed.GetValue(length), parsed.GetValue(json), cancellation));
    }

    private static async Task<int> RunAsync(
        ToolConsole console, string path, string region, string file, GenerationName asked, long offset,
        long? length, bool json, CancellationToken cancellation)
    {
        using SnapshotStore store = SnapshotStore.OpenReadOnly(path);
        using StoredRegion memory = store.OpenRegion(asked.OrNewest(store), region);
        long bytes = length ?? Math.Max(memory.Length - offset, 0);
        if (offset > memory.Length - bytes)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NotFound,
                $"Region '{region}' has {memory.Length} bytes; --offset {offset} and --length {bytes} " +
                "reach beyond them.");
        }

        if (Path.Exists(file)) throw new IOException($"{file} exists already; give the name of a new file.");
        ExtractResult result = new(memory.Generation, region, offset, bytes, Path.GetFullPath(file));
        await Task.Run(() => Write(memory, result, cancellation), cancellation).ConfigureAwait(false);
        if (json) console.WriteJson(result, ToolJson.Default.ExtractResult);
        else
        {
            console.Results.Line(
                $"{Readable.Bytes(bytes)} of '{region}' from generation " +
                $"{Readable.Number(memory.Generation)} are in {result.File}");
        }

        return ExitCode.Fine;
    }

    /// <summary>What is not whole is not left behind.</summary>
    private static void Write(StoredRegion memory, ExtractResult result, CancellationToken cancellation)
    {
        using FileStream file = new(
            result.File, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            byte[] piece = new byte[Math.Min(PieceBytes, result.Bytes)];
            for (long done = 0; done < result.Bytes; done += piece.Length)
            {
                cancellation.ThrowIfCancellationRequested();
                Span<byte> next = piece.AsSpan(0, (int)Math.Min(piece.Length, result.Bytes - done));
                memory.Read(result.Offset + done, next);
                file.Write(next);
            }
        }
        catch
        {
            File.Delete(result.File);
            throw;
        }
    }

    private static Option<long?> Bytes(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
        {
            string token = result.Tokens[0].Value;
            if (long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes))
                return bytes;
            result.AddError($"'{token}' is not a value for {name}; give a number of bytes from 0 upward.");
            return null;
        },
    };
}
