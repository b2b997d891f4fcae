using System.Globalization;

namespace Snapshot.FiberProgram;

/// <summary>The command line: a verb, a store, and <c>--name value</c> pairs.</summary>
internal sealed class Options(string[] arguments)
{
    internal string Verb => arguments.Length > 0 ? arguments[0] : "";

    internal string Store => arguments[1];

    internal bool Has(string name) => arguments.Contains(name);

    internal long Number(string name, long otherwise)
    {
        int at = Array.IndexOf(arguments, name);
        return at < 0 ? otherwise : long.Parse(arguments[at + 1], CultureInfo.InvariantCulture);
    }
}
