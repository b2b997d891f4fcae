using System.Globalization;
using Snapshot.TestPrograms.Life;

namespace Snapshot.Tests.Faults;

/// <summary>
/// A process that looks at states of a store with nothing between it and the disk. One for many states, and
/// not this one: other tests leave arenas at the addresses that the images name.
/// </summary>
/// <param name="folder">Where it may put a file.</param>
internal sealed class StateChecker(string folder) : IDisposable
{
    private readonly RigProcess _process = RigProcess.StartLife(rig: false, [], "check-states");
    private readonly string _acknowledged = Path.Combine(folder, "acknowledged");

    /// <summary>How many generations were restored so far.</summary>
    internal int Restored { get; private set; }

    /// <summary>What is wrong with a state; empty when nothing is.</summary>
    /// <param name="store">The store.</param>
    /// <param name="acknowledged">The step of each acknowledged generation.</param>
    /// <param name="goesOn">Whether to take a checkpoint, too.</param>
    internal List<string> Check(string store, IReadOnlyDictionary<long, long> acknowledged, bool goesOn)
    {
        File.WriteAllText(
            _acknowledged, string.Concat(acknowledged.Select(entry => LifeLog.Line(entry.Key, entry.Value))));
        _process.Ask($"{store} {goesOn} {_acknowledged}");
        List<string> findings = [];
        while (true)
        {
            string line =
                _process.ReadLine() ?? throw new InvalidOperationException($"it ended: {_process.Error}");
            string[] parts = line.Split(' ', 2);
            if (parts[0] == "finding") findings.Add(parts[1]);
            if (parts[0] != "checked") continue;
            Restored = int.Parse(parts[1], CultureInfo.InvariantCulture);
            return findings;
        }
    }

    public void Dispose() => _process.Dispose();
}
