using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Commands;

/// <summary>Arguments and options that several commands have, so that they are worded alike.</summary>
internal static class CommandParts
{
    private const int SecondsPerDay = 86_400;

    internal static Argument<string> Store() =>
        new("STORE") { Description = "The directory of the store.", CustomParser = DirectoryName };

    /// <summary>The same as an option.</summary>
    internal static Option<string?> StoreOption(string description) =>
        new("--store") { Description = description, HelpName = "DIR", CustomParser = DirectoryName };

    internal static Option<bool> Json() =>
        new("--json") { Description = "Print one JSON value instead of text." };

    internal static Option<int> Count(string name, int minimum, string description)
    {
        Option<int> option = new(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result =>
            {
                string token = result.Tokens[0].Value;
                if (int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                    && number >= minimum)
                {
                    return number;
                }
                result.AddError($"'{token}' is not a value for {name}; give a number from {minimum} upward.");
                return minimum;
            },
        };
        return option;
    }

    /// <summary>A time in seconds, up to a day.</summary>
    internal static Option<double> Seconds(string name, double byDefault, string description) => new(name)
    {
        Description = description,
        HelpName = "SECONDS",
        DefaultValueFactory = _ => byDefault,
        CustomParser = result =>
        {
            string token = result.Tokens[0].Value;
            bool isNumber = double.TryParse(
                token, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds);
            if (isNumber && seconds <= SecondsPerDay) return seconds;
            result.AddError(
                $"'{token}' is not a value for {name}; give seconds from 0 to {SecondsPerDay}, such as 0.5 " +
                "or 60.");
            return byDefault;
        },
    };

    /// <summary>A time with a unit: 90s, 45m, 36h, 7d, 2w.</summary>
    internal static Option<TimeSpan?> Age(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "AGE",
        CustomParser = result =>
        {
            string token = result.Tokens[0].Value;
            if (TryParseAge(token, out TimeSpan age)) return age;
            result.AddError(
                $"'{token}' is not an age; give a number and a unit, such as 90s, 45m, 36h, 7d or 2w.");
            return null;
        },
    };

    /// <summary>How many words stand behind the "--": a program and its arguments.</summary>
    internal static int WordsBehindDashes(ParseResult parsed) =>
        parsed.Tokens.SkipWhile(token => token.Type != TokenType.DoubleDash).Skip(1).Count();

    /// <summary>How long a command waits that changes a store.</summary>
    internal static Option<double> Wait() => Seconds(
        "--wait", new StoreOptions().LockTimeout.TotalSeconds,
        "How long to wait while another process has the store open for writing; 0: not at all.");

    /// <summary>Opens a store that must be there for writing: the library would make a new one.</summary>
    internal static SnapshotStore OpenExisting(ToolConsole console, string path, double wait)
    {
        SnapshotStore.OpenReadOnly(path).Dispose();
        return SnapshotStore.Open(path, Writing(console, wait));
    }

    /// <summary>Root looks after the stores of others, and nothing of what the tool reads is run.</summary>
    internal static StoreOptions Writing(ToolConsole console, double wait) => new()
    {
        AllowForeignOwner = Environment.IsPrivilegedProcess,
        LockTimeout = TimeSpan.FromSeconds(wait),
        Waiting = console.Note,
    };

    /// <summary>Tells what was not as a writer leaves it.</summary>
    internal static void TellFindings(ToolConsole console, IReadOnlyList<StoreFinding> findings)
    {
        foreach (StoreFinding finding in findings) console.Note($"{finding.Path}: {finding.Message}");
    }

    private static string DirectoryName(ArgumentResult result)
    {
        string token = result.Tokens[0].Value;
        if (token.Length == 0)
            result.AddError("'' is not a directory; is a variable of the command line empty?");
        return token;
    }

    private static bool TryParseAge(string text, out TimeSpan age)
    {
        age = default;
        double secondsPerUnit = text.Length < 2 ? 0 : text[^1] switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            'w' => 7 * 86400,
            _ => 0,
        };
        if (secondsPerUnit == 0) return false;
        ReadOnlySpan<char> number = text.AsSpan(0, text.Length - 1);
        if (!double.TryParse(
            number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count))
            return false;
        if (count * secondsPerUnit > TimeSpan.MaxValue.TotalSeconds / 2) return false;
        age = TimeSpan.FromSeconds(count * secondsPerUnit);
        return true;
    }
}
