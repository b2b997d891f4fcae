namespace Snapshot.FiberCheck;

/// <summary>What to check.</summary>
/// <param name="Assembly">The path of the compiled assembly.</param>
/// <param name="References">The paths of what it was compiled against.</param>
/// <param name="PathMap">How the compiler renamed folders of sources, so that errors name real files.</param>
internal sealed record CheckOptions(
    string Assembly, IReadOnlyList<string> References, IReadOnlyList<(string From, string To)> PathMap)
{
    private const string Usage =
        "usage: Snapshot.FiberCheck ASSEMBLY [-r:REFERENCE]... [-pathmap:FROM=TO,...] [@FILE], " +
        "where FILE holds further arguments, one a line";

    /// <summary>Reads a command line, whose options are written as the C# compiler's are.</summary>
    /// <exception cref="CheckException">It is not one.</exception>
    internal static CheckOptions Parse(IEnumerable<string> args)
    {
        string? assembly = null;
        List<string> references = [];
        List<(string, string)> pathMap = [];
        foreach (string argument in args.SelectMany(Expand))
        {
            if (argument.StartsWith("-r:", StringComparison.Ordinal)) references.Add(argument[3..]);
            else if (argument.StartsWith("-pathmap:", StringComparison.Ordinal))
                pathMap.AddRange(Pairs(argument[9..]));
            else if (argument.StartsWith('-'))
                throw new CheckException($"unknown option '{argument}'; {Usage}");
            else if (assembly is not null) throw new CheckException($"more than one assembly; {Usage}");
            else assembly = argument;
        }

        return new CheckOptions(assembly ?? throw new CheckException(Usage), references, pathMap);
    }

    private static IEnumerable<string> Expand(string argument) => argument.StartsWith('@')
        ? File.ReadLines(argument[1..]).Where(line => line.Length > 0)
        : [argument];

    private static IEnumerable<(string From, string To)> Pairs(string map) => map
        .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(pair => pair.Split('=', 2))
        .Where(pair => pair.Length == 2 && pair[1].Length > 0)
        .Select(pair => (pair[0], pair[1]));
}
