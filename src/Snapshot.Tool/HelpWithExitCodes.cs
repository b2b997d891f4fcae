using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Globalization;

namespace Snapshot.Tool;

/// <summary>The usual help, followed by the exit codes.</summary>
internal sealed class HelpWithExitCodes(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int result = help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Exit codes:");
        foreach ((int code, string meaning) in ExitCode.Of(parseResult.CommandResult.Command))
        {
            string head = string.Create(CultureInfo.InvariantCulture, $"  {code,-3}  ");
            foreach (string line in Fold(meaning, help.MaxWidth - head.Length))
            {
                output.WriteLine(head + line);
                head = new string(' ', head.Length);
            }
        }

        output.WriteLine();
        return result;
    }

    /// <summary>Words in lines of a width, which a longer word exceeds.</summary>
    private static IEnumerable<string> Fold(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }

            line += line.Length > 0 ? $" {word}" : word;
        }

        yield return line;
    }
}
