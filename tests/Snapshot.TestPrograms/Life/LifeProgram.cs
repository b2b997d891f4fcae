using System.Globalization;

namespace Snapshot.TestPrograms.Life;

/// <summary>The verbs of lives.</summary>
internal static class LifeProgram
{
    internal static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case ["run", string store, string acknowledged]:
                return OneLife(store, acknowledged);
            case ["record", string store, string acknowledged, string recording]:
                return Recorded(store, acknowledged, recording);
            case ["together", string store, string acknowledged, string seconds, string seed]:
                return Together(store, acknowledged, seconds, seed);
            case ["count", string root]:
                return LifeSweep.Count(root);
            case ["sweep", string root]:
                return LifeSweep.Run(root);
            case ["check", string root]:
                return LifeSweep.Check(root);
            case ["check-states"]:
                return LifeStates.Run();
            default:
                throw new ArgumentException($"not a verb of lives: {string.Join(' ', arguments)}");
        }
    }

    private static int OneLife(string store, string acknowledged)
    {
        LifeLog log = new(acknowledged, prints: true);
        new StoreLife(store, log) { HasOthers = true }.Run();
        return log.Findings.Count == 0 ? 0 : 3;
    }

    private static int Together(string store, string acknowledged, string seconds, string seed)
    {
        LifeLog log = new(acknowledged, prints: true);
        LifeTogether together = new(store, log, int.Parse(seed, CultureInfo.InvariantCulture));
        return together.Run(TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)));
    }

    private static int Recorded(string store, string acknowledged, string recording)
    {
        LifeLog log = new(acknowledged, prints: true);
        Rig.Watch(Path.GetDirectoryName(store)!);
        Rig.Record(recording);
        new StoreLife(store, log).Run();
        Rig.Record(null);
        return log.Findings.Count == 0 ? 0 : 3;
    }
}
