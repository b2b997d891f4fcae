using System.Globalization;

namespace Snapshot.TestPrograms.Life;

/// <summary>Checks one state of a store after another, as standard input says, in one process.</summary>
/// <remarks>
/// A line of input is <c>STORE GOESON ACKNOWLEDGED</c>: whether to take a checkpoint, too, and a file as
/// <see cref="LifeLog"/> writes it. Output is the findings, then <c>checked RESTORED</c>: how many
/// generations were restored so far; those of sets of images that were restored before are not again.
/// </remarks>
internal static class LifeStates
{
    internal static int Run()
    {
        HashSet<(UInt128, long)> restored = [];
        while (Console.In.ReadLine() is { Length: > 0 } line)
        {
            string[] parts = line.Split(' ');
            LifeLog log = new(parts[2], prints: false);
            foreach (string finding in LifeCheck.Run(
                parts[0], log.Acknowledged, restored, bool.Parse(parts[1])))
                Console.WriteLine($"finding {finding.Replace('\n', ' ')}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"checked {restored.Count}"));
        }

        return 0;
    }
}
