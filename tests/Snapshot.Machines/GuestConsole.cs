using System.Text;

namespace Snapshot.Machines;

/// <summary>
/// Reads the serial console of a guest, line by line, for as long as there is something to read.
/// </summary>
internal sealed class GuestConsole(StreamReader reader, Action<string> observe)
{
    private readonly List<string> _lines = [];

    /// <summary>What was read so far.</summary>
    internal IReadOnlyList<string> Lines => _lines;

    /// <summary>Reads until the guest has ended: true. False when nothing came for the given time.</summary>
    internal async Task<bool> ReadToEndAsync(TimeSpan silence)
    {
        char[] buffer = new char[4096];
        StringBuilder line = new();
        using CancellationTokenSource silent = new();
        while (true)
        {
            silent.CancelAfter(silence);
            int read;
            try
            {
                read = await reader.ReadAsync(buffer, silent.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                read = -1;
            }

            if (read > 0) Take(buffer.AsSpan(0, read), line);
            if (read > 0) continue;
            // What stands there without an end of line may be the last thing the guest said.
            if (line.Length > 0) End(line);
            return read == 0;
        }
    }

    private void Take(ReadOnlySpan<char> text, StringBuilder line)
    {
        foreach (char c in text)
        {
            if (c == '\n') End(line);
            else if (c != '\r') line.Append(c);
        }
    }

    private void End(StringBuilder line)
    {
        string text = line.ToString();
        line.Clear();
        _lines.Add(text);
        observe(text);
    }
}
