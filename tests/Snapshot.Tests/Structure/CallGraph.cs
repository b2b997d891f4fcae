using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>Which file of a folder of C names what another one defines: functions and variables.</summary>
/// <remarks>
/// Read from compiled objects: what a header's inline function names counts for each file that uses it, and
/// assembly is a file like the others.
/// </remarks>
internal sealed class CallGraph
{
    private readonly SortedDictionary<string, string[]> _names = new(StringComparer.Ordinal);

    private CallGraph(IEnumerable<string> files, IReadOnlyCollection<Symbol> symbols)
    {
        Dictionary<string, string> definer = symbols.Where(symbol => symbol.IsDefined)
            .ToDictionary(symbol => symbol.Name, symbol => symbol.File, StringComparer.Ordinal);
        foreach (string file in files)
        {
            _names[file] = [.. symbols.Where(symbol => !symbol.IsDefined && symbol.File == file)
                .Select(symbol => definer.GetValueOrDefault(symbol.Name))
                .OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        }
    }

    internal IReadOnlyCollection<string> Files => _names.Keys;

    /// <summary>Compiles what is directly in a folder into an empty one, and reads the objects.</summary>
    internal static CallGraph Of(string folder, string empty)
    {
        string[] sources = [.. Directory.EnumerateFiles(folder).Where(
            file => Path.GetExtension(file) is ".c" or ".S")];
        string[] flags = ["-std=c11", "-D_GNU_SOURCE", "-fPIC", "-O0", "-c"];
        Succeeds("cc", [.. flags, .. sources]);
        Dictionary<string, string> sourceOf = sources.ToDictionary(
            file => Path.GetFileNameWithoutExtension(file) + ".o", file => Path.GetFileName(file));
        string listed = Succeeds("nm", ["-A", "-g", "-P", .. sourceOf.Keys]);
        return new CallGraph(
            sourceOf.Values,
            [.. listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(
                line => Symbol.Parse(line, sourceOf))]);

        string Succeeds(string program, string[] arguments)
        {
            ProgramResult result = Repository.Run(empty, program, arguments);
            Assert.True(result.ExitCode == 0, $"{program}: {result}");
            return result.Output;
        }
    }

    /// <summary>
    /// The files of a circle in their order, the first once more at its end; null: there is none.
    /// </summary>
    internal string? Circle()
    {
        HashSet<string> done = [];
        List<string> path = [];
        return _names.Keys.Select(Visit).FirstOrDefault(circle => circle is not null);

        string? Visit(string file)
        {
            int seen = path.IndexOf(file);
            if (seen >= 0) return string.Join(" → ", [.. path[seen..], file]);
            if (!done.Add(file)) return null;
            path.Add(file);
            string? circle = _names[file].Select(Visit).FirstOrDefault(found => found is not null);
            path.RemoveAt(path.Count - 1);
            return circle;
        }
    }

    /// <param name="File">The source.</param>
    /// <param name="Name">Of a function or a variable.</param>
    /// <param name="IsDefined">There, or only named.</param>
    private sealed record Symbol(string File, string Name, bool IsDefined)
    {
        /// <summary>A line such as <c>slots.o: sn_slots_take T 1c0 5e</c>.</summary>
        internal static Symbol Parse(string line, Dictionary<string, string> sourceOf)
        {
            string[] parts = line.Split(' ');
            return new Symbol(sourceOf[parts[0].TrimEnd(':')], parts[1], parts[2] != "U");
        }
    }
}
