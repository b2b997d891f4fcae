using System.Globalization;

namespace Snapshot.Tool.Output;

/// <summary>Figures as people read them. JSON has the exact ones.</summary>
internal static class Readable
{
    private static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>
    /// Text that may come from an image or a command line, with nothing in it that a terminal takes for a
    /// command.
    /// </summary>
    internal static string Plain(string text) =>
        string.Concat(text.Select(letter => char.IsControl(letter) && letter != '\n' ? '\uFFFD' : letter));

    /// <summary>Three significant digits and a binary unit.</summary>
    internal static string Bytes(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (Math.Abs(value) >= 1000 && unit < s_units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string format = unit == 0 || value >= 99.95 ? "0" : value >= 9.995 ? "0.0" : "0.00";
        return value.ToString(format, CultureInfo.InvariantCulture) + " " + s_units[unit];
    }

    internal static string Number(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>Local time to the second.</summary>
    internal static string Time(DateTimeOffset time) =>
        time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>Seconds with up to three digits, or minutes and seconds, or hours and minutes.</summary>
    internal static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 9.995 } =>
            string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.##} s"),
        { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s"),
        { TotalMinutes: < 60 } => $"{(int)time.TotalMinutes} min {time.Seconds:00} s",
        _ => $"{Number((long)time.TotalHours)} h {time.Minutes:00} min",
    };

    internal static string Count(long count, string noun) =>
        $"{Number(count)} {noun}{(count == 1 ? "" : "s")}";
}
