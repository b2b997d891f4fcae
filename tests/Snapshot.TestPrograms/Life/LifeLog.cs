using System.Globalization;

namespace Snapshot.TestPrograms.Life;

/// <summary>
/// What a life was told: acknowledged generations, in a file beside the store that outlives the process, errors, and
/// findings, which are what must not be.
/// </summary>
internal sealed class LifeLog
{
    private const long AnyStep = -1;

    private readonly string _file;
    private readonly bool _prints;
    private readonly List<string> _findings = [];
    private readonly Lock _gate = new();

    internal LifeLog(string file, bool prints)
    {
        _file = file;
        _prints = prints;
        foreach ((long generation, long step) in Read(file)) Note(generation, step);
    }

    /// <summary>The step of each acknowledged generation.</summary>
    internal SortedDictionary<long, long> Acknowledged { get; } = [];

    /// <summary>
    /// What somebody wanted the next restart to take in place of the newest, and may have come through with; or 0.
    /// </summary>
    internal long Wanted { get; private set; }

    internal IReadOnlyList<string> Findings => _findings;

    internal int Told { get; private set; }

    internal void Acknowledge(long generation, long step)
    {
        lock (_gate)
        {
            Append(generation, step);
            Rig.Mark(string.Create(CultureInfo.InvariantCulture, $"ack {generation} {step}"));
            Say($"ack {generation} {step}");
        }
    }

    /// <summary>Before the store is told that the next restart takes a generation.</summary>
    internal void Want(long generation)
    {
        lock (_gate) Append(generation, AnyStep);
    }

    internal void Tell(string what, SnapshotException error)
    {
        lock (_gate)
        {
            Told++;
            Say($"told {what} {error.Code} {error.Errno}");
        }
    }

    internal void Find(string finding)
    {
        lock (_gate)
        {
            _findings.Add(finding);
            Say($"finding {finding}");
        }
    }

    /// <summary>
    /// The acknowledgements in a file, and with <see cref="AnyStep"/> what was wanted; the last line may be half.
    /// </summary>
    private static IEnumerable<(long Generation, long Step)> Read(string file)
    {
        if (!File.Exists(file)) yield break;
        string[] lines = File.ReadAllText(file).Split('\n');
        foreach (string line in lines[..^1])
        {
            string[] parts = line.Split(' ');
            yield return (
                long.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture));
        }
    }

    private void Append(long generation, long step)
    {
        File.AppendAllText(_file, string.Create(CultureInfo.InvariantCulture, $"{generation} {step}\n"));
        Note(generation, step);
    }

    private void Note(long generation, long step)
    {
        Wanted = step == AnyStep ? generation : 0;
        if (step != AnyStep) Acknowledged[generation] = step;
    }

    private void Say(string line)
    {
        if (!_prints) return;
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
