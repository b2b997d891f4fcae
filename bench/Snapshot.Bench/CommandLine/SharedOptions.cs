using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Snapshot.Bench;

/// <summary>Options that several scenarios have, and how their values are read and checked.</summary>
internal static class SharedOptions
{
    private const long ArenaBytesMin = 1 << 20;

    private static readonly (string Suffix, long Factor)[] s_units =
        [("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10), ("", 1)];

    /// <summary>The capture modes there are, as they are typed.</summary>
    internal static string[] CaptureModes => [.. Enum.GetNames<CaptureMode>().Select(ToWord)];

    internal static Option<long> Arena(long bytes) => new("--arena")
    {
        Description = "Size of the arena: bytes, or with KiB, MiB, GiB.",
        CustomParser = result => ParseSize("--arena", result.Tokens[^1].Value, result),
        DefaultValueFactory = _ => bytes,
    };

    /// <summary>Memory of the program, of which there is no arena.</summary>
    internal static Option<long> Memory(long bytes) => new("--memory")
    {
        Description = "Size of the memory: bytes, or with KiB, MiB, GiB.",
        CustomParser = result => ParseSize("--memory", result.Tokens[^1].Value, result),
        DefaultValueFactory = _ => bytes,
    };

    internal static Option<long[]> Arenas(params long[] bytes) => new("--arena")
    {
        Description = "Sizes of the arena, a set of rows each: bytes, or with KiB, MiB, GiB.",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = result =>
            [.. result.Tokens.Select(token => ParseSize("--arena", token.Value, result))],
        DefaultValueFactory = _ => bytes,
    };

    internal static Option<string[]> Modes(params string[] modes)
    {
        Option<string[]> option = Several("--mode", "How pages are captured; a row each.", modes);
        option.AcceptOnlyFromAmong(CaptureModes);
        return option;
    }

    internal static Option<T[]> Several<T>(string name, string description, params T[] values) => new(name)
    {
        Description = description,
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => values,
    };

    internal static Option<int> Threads(int count) =>
        Number("--threads", "Participants that write.", count, 1, 1024);

    internal static Option<int> Rounds(string description, int count) =>
        Number("--rounds", description, count, 1, 10_000);

    internal static Option<double> DirtyPercent(double percent) => new Option<double>("--dirty")
    {
        Description = "Percent of the pages written between checkpoints.",
        DefaultValueFactory = _ => percent,
    }.Require(value => value is > 0 and <= 100, "more than 0 and at most 100");

    internal static Option<string> PatternOfParts()
    {
        Option<string> option = new("--pattern")
        {
            Description = "Which pages of a part: one dense range, or random ones.",
            DefaultValueFactory = _ => PagePattern.Random,
        };
        option.AcceptOnlyFromAmong(PagePattern.Dense, PagePattern.Random);
        return option;
    }

    internal static Option<int> Number(string name, string description, int value, int least, int most) =>
        new Option<int>(name) { Description = description, DefaultValueFactory = _ => value }
            .Require(number => number >= least && number <= most, $"{least} to {most}");

    internal static Option<T> Require<T>(this Option<T> option, Func<T, bool> holds, string range)
    {
        option.Validators.Add(result =>
        {
            if (result.Errors.Any() || result.GetValueOrDefault<T>() is not { } value || holds(value)) return;
            result.AddError($"{option.Name}: {range}, not {Figures.Text(value)}.");
        });
        return option;
    }

    internal static Option<T[]> RequireEach<T>(this Option<T[]> option, Func<T, bool> holds, string range)
    {
        option.Validators.Add(result =>
        {
            if (result.Errors.Any()) return;
            foreach (T value in result.GetValueOrDefault<T[]>() ?? [])
            {
                if (!holds(value)) result.AddError($"{option.Name}: {range}, not {Figures.Text(value)}.");
            }
        });
        return option;
    }

    internal static CaptureMode ParseMode(string word) => Enum.Parse<CaptureMode>(word, ignoreCase: true);

    internal static string ToWord(string name) => name.ToLowerInvariant();

    /// <summary>A size with or without its unit; what is wrong is added to the result.</summary>
    private static long ParseSize(string name, string text, ArgumentResult result)
    {
        long? bytes = SizeOf(text);
        if (bytes >= ArenaBytesMin) return bytes.Value;
        result.AddError(bytes is null
            ? $"'{text}' is not a size: use a number of bytes, or one with KiB, MiB or GiB, as in 4GiB."
            : $"{name}: at least 1MiB, not {text}.");
        return 0;
    }

    /// <summary>Whole pages of a size, or null where it is none.</summary>
    internal static long? SizeOf(string text)
    {
        (string suffix, long factor) = s_units.First(
            unit => text.EndsWith(unit.Suffix, StringComparison.OrdinalIgnoreCase));
        bool isNumber = double.TryParse(
            text[..^suffix.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out double value);
        return isNumber && value > 0 && value * factor < long.MaxValue
            ? (long)(value * factor) & -4096L : null;
    }
}
