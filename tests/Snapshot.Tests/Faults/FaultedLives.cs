using System.Globalization;

namespace Snapshot.Tests.Faults;

/// <summary>
/// Runs lives with one fault each, many in a process, and has their stores checked by a process without.
/// </summary>
internal sealed class FaultedLives
{
    private readonly List<string> _findings = [];
    private readonly SortedDictionary<string, Tally> _tallies = new(StringComparer.Ordinal);

    /// <summary>What must not be.</summary>
    internal IReadOnlyList<string> Findings => _findings;

    internal int Lives => _tallies.Values.Sum(tally => tally.Lives);

    internal int Hit => _tallies.Values.Sum(tally => tally.Hit);

    /// <summary>One line for each kind of call.</summary>
    internal IEnumerable<string> Table => _tallies.Select(entry =>
        $"{entry.Key,-12} lives {entry.Value.Lives,5}, hit {entry.Value.Hit,5}, told {entry.Value.Told,5}, " +
        $"survived without a word {entry.Value.Hit - entry.Value.Told,5}, generations " +
        $"{entry.Value.Generations,6}");

    /// <summary>How many calls of each kind a life without a fault makes.</summary>
    internal static Dictionary<string, long> Count()
    {
        using MemoryFolder folder = new();
        using RigProcess process = RigProcess.StartLife(rig: true, [], "count", folder.Path);
        (int exitCode, List<string> lines) = process.ReadToEnd();
        if (exitCode != 0) throw new InvalidOperationException(process.Error);
        return lines.Select(line => line.Split(' ')).ToDictionary(
            parts => parts[0], parts => long.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    internal void Run(IReadOnlyCollection<Fault> faults)
    {
        using MemoryFolder folder = new();
        Queue<Fault> left = new(faults);
        while (left.Count > 0) RunProcess(folder.Path, left);
        Check(folder.Path);
    }

    /// <summary>
    /// A process that dies or hangs is a finding of the life it was at; the others go on in another.
    /// </summary>
    private void RunProcess(string root, Queue<Fault> left)
    {
        using RigProcess process = RigProcess.StartLife(rig: true, [], "sweep", root);
        process.Give([.. left.Select(fault => fault.Line)]);
        Fault? at = null;
        try
        {
            while (process.ReadLine() is { } line)
            {
                string[] parts = line.Split(' ', 2);
                if (parts[0] == "begin") at = left.Dequeue();
                if (parts[0] == "finding") Find($"{at!.Name}: {parts[1]}");
                if (parts[0] != "end") continue;
                Add(at!, parts[1].Split(' '));
                at = null;
            }

            if (process.WaitForExit() == 0) return;
            Find(
                $"{at?.Name ?? "without a fault"}: the process ended with {process.WaitForExit()}: " +
                $"{process.Error}");
        }
        catch (TimeoutException)
        {
            Find($"{at?.Name ?? "without a fault"}: hangs");
        }

        if (at is null) left.Clear();
    }

    private void Check(string root)
    {
        using RigProcess process = RigProcess.StartLife(rig: false, [], "check", root);
        (int exitCode, List<string> lines) = process.ReadToEnd();
        foreach (string line in lines.Where(line => line.StartsWith("finding ", StringComparison.Ordinal)))
            Find($"afterwards {line["finding ".Length..]}");
        if (exitCode != 0)
            Find($"the check ended with {exitCode} after '{lines.LastOrDefault()}': {process.Error}");
    }

    private void Add(Fault fault, string[] end)
    {
        if (!_tallies.TryGetValue(fault.Kind, out Tally? tally)) _tallies[fault.Kind] = tally = new Tally();
        tally.Lives++;
        if (end[1] != "0") tally.Hit++;
        if (end[1] != "0" && end[2] != "0") tally.Told++;
        tally.Generations += int.Parse(end[3], CultureInfo.InvariantCulture);
    }

    private void Find(string finding) => _findings.Add(finding.Length > 700 ? finding[..700] : finding);

    private sealed class Tally
    {
        internal int Lives { get; set; }

        internal int Hit { get; set; }

        internal int Told { get; set; }

        internal int Generations { get; set; }
    }
}
