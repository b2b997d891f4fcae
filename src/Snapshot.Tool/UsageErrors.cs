using System.CommandLine;
using System.CommandLine.Parsing;
using Snapshot.Tool.Output;

namespace Snapshot.Tool;

/// <summary>Says what is wrong with a command line, and what was probably meant.</summary>
internal static class UsageErrors
{
    internal static int Report(ParseResult parsed, ToolConsole console)
    {
        Command command = parsed.CommandResult.Command;
        string path = PathOf(parsed.CommandResult);
        return Refuse(Sentences(parsed, command, path), path, console);
    }

    /// <summary>
    /// A word that looks like an option, is none, and was therefore taken for an argument. What begins with a
    /// hyphen and is meant stands behind "--".
    /// </summary>
    internal static string? OptionAsArgument(ParseResult parsed)
    {
        if (parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash)) return null;
        return parsed.CommandResult.Command.Arguments
            .Where(argument => argument.Arity.MaximumNumberOfValues == 1)
            .SelectMany(argument => parsed.GetResult(argument)?.Tokens ?? [])
            .Select(token => token.Value)
            .FirstOrDefault(value => value is ['-', _, ..]);
    }

    /// <summary>Refuses a word before the "--" that was taken for a part of what stands behind it.</summary>
    internal static int ReportMisplaced(string token, ParseResult parsed, ToolConsole console)
    {
        string path = PathOf(parsed.CommandResult);
        string sentence = token.StartsWith('-')
            ? DescribeUnmatched(token, parsed.CommandResult.Command, path)
            : $"'{token}' stands before '--'; write '{path} [options] -- {token} …'.";
        return Refuse([sentence], path, console);
    }

    /// <summary>
    /// Refuses a line in which something is missing that the parser has taken from elsewhere.
    /// </summary>
    internal static int ReportMissing(string argument, ParseResult parsed, ToolConsole console)
    {
        string path = PathOf(parsed.CommandResult);
        return Refuse([$"'{path}' needs {argument}"], path, console);
    }

    private static int Refuse(IEnumerable<string> sentences, string path, ToolConsole console)
    {
        foreach (string sentence in sentences) console.Fail(sentence);
        console.Error.WriteLine($"See '{path} --help'.");
        return ExitCode.Usage;
    }

    /// <summary>
    /// One word that is not known makes the rest of the line mean something else, so only the first is named.
    /// </summary>
    private static IEnumerable<string> Sentences(ParseResult parsed, Command command, string path)
    {
        if (OptionAsArgument(parsed) is { } option) return [DescribeUnmatched(option, command, path)];
        if (parsed.UnmatchedTokens is [string unknown, ..])
            return [DescribeUnmatched(unknown, command, path)];
        if (command.Subcommands.Count > 0) return [$"'{path}' needs a command."];
        List<string> missing =
        [
            .. command.Arguments
                .Where(
                    argument => argument.Arity.MinimumNumberOfValues > 0
                        && parsed.GetResult(argument) is null or { Tokens.Count: 0 })
                .Select(argument => $"'{path}' needs {argument.Name}: {argument.Description}"),
        ];
        return missing.Count > 0 ? missing : parsed.Errors.Select(error => error.Message).Distinct();
    }

    private static string DescribeUnmatched(string token, Command command, string path)
    {
        bool isOption = token.StartsWith('-');
        IEnumerable<string> known = isOption
            ? command.Options.SelectMany(option => option.Aliases.Append(option.Name)).Append("--help")
            : command.Subcommands.Select(subcommand => subcommand.Name);
        string what = isOption ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
        string? meant = Closest(token, known);
        return $"'{path}' has no {what} '{token}'{(meant is null ? "." : $"; did you mean '{meant}'?")}";
    }

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "snapshot";

    /// <summary>The known word with the fewest edits, if at most a third of the letters differ.</summary>
    private static string? Closest(string token, IEnumerable<string> known) => known
        .Select(word => (Word: word, Distance: Distance(token, word)))
        .Where(pair => pair.Distance <= Math.Max(1, Math.Max(token.Length, pair.Word.Length) / 3))
        .OrderBy(pair => pair.Distance)
        .Select(pair => pair.Word)
        .FirstOrDefault();

    /// <summary>
    /// Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours.
    /// </summary>
    private static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int replace = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(replace, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
