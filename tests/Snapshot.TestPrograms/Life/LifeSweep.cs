using System.Globalization;

namespace Snapshot.TestPrograms.Life;

/// <summary>
/// Many lives in one process, each in a folder of its own and with one fault, as standard input says.
/// </summary>
/// <remarks>
/// A line of input is <c>NAME KIND NTH ACTION VALUE EACH</c>. Output is <c>begin NAME</c>, the findings, then
/// <c>end NAME HITS TOLD ACKNOWLEDGED PATH</c>. The stores stay for the check by a process of its own.
/// </remarks>
internal static class LifeSweep
{
    internal static int Run(string root)
    {
        // What is made once in a process is made before anything is compared: lives without a fault.
        for (int warm = 0; warm < 2; warm++) OneLife(root, $"warm{warm}", static () => { }, isLasting: false);
        while (Console.In.ReadLine() is { Length: > 0 } line)
        {
            string[] parts = line.Split(' ');
            Console.WriteLine($"begin {parts[0]}");
            long[] numbers = [.. parts[2..].Select(part => long.Parse(part, CultureInfo.InvariantCulture))];
            bool isLasting = numbers[3] != 0;
            LifeLog log = OneLife(
                root, parts[0],
                () => Rig.Arm(
                    Rig.KindOf(parts[1]), numbers[0], (RigAction)numbers[1], (int)numbers[2], isLasting),
                isLasting);
            foreach (string finding in log.Findings)
                Console.WriteLine($"finding {finding.Replace('\n', ' ')}");
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"end {parts[0]} {Rig.Hits} {log.Told} {log.Acknowledged.Count} {Rig.LastPath}"));
        }

        return 0;
    }

    /// <summary>A life without a fault: how many calls of each kind it makes.</summary>
    internal static int Count(string root)
    {
        OneLife(root, "warm", static () => { }, isLasting: false);
        Rig.ResetCounts();
        OneLife(root, "counted", static () => { }, isLasting: false);
        for (int kind = 0; kind < Rig.Kinds; kind++)
        {
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{Rig.Name(kind)} {Rig.Count(kind)}"));
        }

        return 0;
    }

    private static LifeLog OneLife(string root, string name, Action arm, bool isLasting)
    {
        string folder = Path.Combine(root, name);
        Directory.CreateDirectory(folder);
        LifeLog log = new(AcknowledgedOf(root, name), prints: false);
        Rig.Watch(folder);
        string[] before = ProcessResources.Descriptors(folder);
        string[] threadsBefore = ProcessResources.Threads([]);
        arm();
        new StoreLife(Path.Combine(folder, "store"), log) { IsFaultLasting = isLasting }.Run();
        Rig.Disarm();
        string[] after = ProcessResources.Descriptors(folder);
        if (!after.SequenceEqual(before))
            log.Find($"descriptors are left: {string.Join(", ", after.Except(before))}");
        string[] threads = ProcessResources.Threads(threadsBefore);
        if (threads.Length > threadsBefore.Length)
            log.Find($"threads are left: {string.Join(", ", threads)}");
        return log;
    }

    internal static string AcknowledgedOf(string root, string name) =>
        Path.Combine(root, $"acknowledged-{name}");

    /// <summary>Checks the store of each life below a folder: a clean process, without the rig.</summary>
    internal static int Check(string root)
    {
        foreach (string folder in Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(folder);
            LifeLog log = new(AcknowledgedOf(root, name), prints: false);
            List<string> findings = LifeCheck.Run(
                Path.Combine(folder, "store"), log.Acknowledged, restored: null, goesOn: true);
            foreach (string finding in findings)
                Console.WriteLine($"finding {name} {finding.Replace('\n', ' ')}");
            Console.WriteLine($"checked {name} {log.Acknowledged.Count}");
        }

        return 0;
    }
}
