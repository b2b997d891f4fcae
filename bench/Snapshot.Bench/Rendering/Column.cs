using System.Globalization;
using System.Text.Json.Nodes;

namespace Snapshot.Bench;

/// <summary>
/// One figure of a scenario's rows: its heading in tables, its name in JSON, and its value in a row.
/// </summary>
/// <param name="Heading">Null: only in JSON.</param>
/// <param name="Name">Null: only in tables.</param>
/// <param name="Value">A string, a bool, an int, a long or a double; null where it was not measured.</param>
internal sealed record Column<TRow>(string? Heading, string? Name, Func<TRow, object?> Value);

/// <summary>How values are printed.</summary>
internal static class Figures
{
    /// <summary>Three digits that count, whatever the size: 1234, 123, 12.3, 1.23, 0.123.</summary>
    internal static string Text(double value)
    {
        double size = Math.Abs(value);
        string format = size switch
        {
            >= 99.95 => "F0",
            >= 9.995 => "F1",
            >= 0.9995 or 0 => "F2",
            >= 0.0995 => "F3",
            >= 1e-4 => "G3",
            _ => "0.#######",
        };
        return value.ToString(format, CultureInfo.InvariantCulture);
    }

    internal static string Text(object? value) => value switch
    {
        null => "-",
        double.NaN => "-",
        double number => Text(number),
        bool truth => truth ? "yes" : "no",
        long number => number.ToString("N0", CultureInfo.InvariantCulture),
        int number => number.ToString("N0", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    internal static JsonNode? Node(object? value) => value switch
    {
        null => null,
        double number => double.IsFinite(number) ? JsonValue.Create(number) : null,
        bool truth => JsonValue.Create(truth),
        long number => JsonValue.Create(number),
        int number => JsonValue.Create(number),
        _ => JsonValue.Create(Convert.ToString(value, CultureInfo.InvariantCulture)),
    };

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0
            ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    internal static string Mebibytes(long bytes) => Text(bytes / 1048576.0);

    /// <summary>A size as it is typed on the command line: 4GiB, 512MiB.</summary>
    internal static string Size(long bytes) => bytes switch
    {
        >= 1L << 30 when bytes % (1L << 30) == 0 => $"{bytes >> 30}GiB",
        >= 1L << 20 => $"{Math.Round(bytes / 1048576.0, 1).ToString(CultureInfo.InvariantCulture)}MiB",
        _ => $"{Math.Round(bytes / 1024.0, 1).ToString(CultureInfo.InvariantCulture)}KiB",
    };
}
