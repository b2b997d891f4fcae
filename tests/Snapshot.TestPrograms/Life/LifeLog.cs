using System.Globalization;

namespace Snapshot.TestPrograms.Life;

/// <summary>
/// What a life was told: acknowledged generations, in a file beside the store that outlives the process,
/// errors, and findings, which are what must not be.
/// </summary>
internal sealed class LifeLog
{
    private const long AnyStep = -1;
    private const string End = ".";

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
    /// What somebody wanted the next restart to take in place of the newest, and may have come through with;
    /// or 0.
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

    /// <summary>As it stands in a file: what lacks its end was cut off.</summary>
    internal static string Line(long generation, long step) =>
        string.Create(CultureInfo.InvariantCulture, $"{generation} {step} {End}\n");

    /// <summary>
    /// The acknowledgements in a file, and with <see cref="AnyStep"/> what was wanted. Who writes them is
    /// killed, also in the middle of one.
    /// </summary>
    private static IEnumerable<(long Generation, long Step)> Read(string file)
    {
        if (!File.Exists(file)) yield break;
        foreach (string line in File.ReadLines(file))
        {
            if (line.Split(' ') is not [string generation, string step, End]) continue;
            yield return (
                long.Parse(generation, CultureInfo.InvariantCulture),
                long.Parse(step, CultureInfo.InvariantCulture));
        }
    }

    private void Append(long generation, long step)
    {
        // On a line of its own, whatever the one before is.
        File.AppendAllText(_file, $"\n{Line(generation, step)}");
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
