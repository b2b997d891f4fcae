using System.Globalization;
using System.Text;

namespace Snapshot.Machines.PowerCut;

/// <summary>
/// What a guest writes on its disk, beside the file system, after a program told it that a generation is
/// committed: the log has it after all that the commit needs. It is written without a flush, which would hide
/// one left out.
/// </summary>
/// <param name="Position">How many entries of the log come before it.</param>
/// <param name="Generation">The generation.</param>
internal readonly record struct Acknowledgement(int Position, long Generation)
{
    /// <summary>
    /// A block of the file systems: the kernel lets a direct write of less go through its cache.
    /// </summary>
    private const int Size = 4096;

    private const string Words = "snapshot: committed generation ";

    /// <summary>The shell command that writes one of generation $g.</summary>
    /// <param name="device">The disk.</param>
    /// <param name="offset">Where, bytes: beside the file system.</param>
    internal static string Command(string device, long offset) => string.Create(
        CultureInfo.InvariantCulture,
        $"echo \"{Words}$g\" | dd of={device} bs={Size} seek={offset / Size} " +
        $"conv=notrunc,sync oflag=direct 2>/dev/null");

    /// <summary>All of a log, oldest first.</summary>
    internal static IReadOnlyList<Acknowledgement> AllIn(WriteLog log, long offset)
    {
        List<Acknowledgement> all = [];
        for (int position = 0; position < log.Entries.Count; position++)
        {
            LoggedWrite entry = log.Entries[position];
            if (entry.Offset != offset || entry.Length != Size) continue;
            string text = Encoding.ASCII.GetString(log.DataOf(entry)).TrimEnd('\0', '\n');
            if (!text.StartsWith(Words, StringComparison.Ordinal)) continue;
            all.Add(new Acknowledgement(
                position, long.Parse(text[Words.Length..], CultureInfo.InvariantCulture)));
        }

        return all;
    }
}
