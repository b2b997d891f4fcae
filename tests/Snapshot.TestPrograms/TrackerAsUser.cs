using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.TestPrograms;

/// <summary>
/// Runs every tracker scenario with each mechanism that works here, under whatever user it was started as.
/// Prints one line for each, then which mechanism Auto chose.
/// </summary>
internal static class TrackerAsUser
{
    internal static int Run()
    {
        using TrackerFactory automatic = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        using TrackerFactory hashing = new(MachineCapabilities.Current, TrackingMechanism.ContentHash);
        foreach (TrackerFactory factory in (TrackerFactory[])[automatic, hashing])
        {
            foreach ((string name, Action<Func<MemoryRegion, DirtyTracker>> scenario) in TrackerScenarios.All)
            {
                scenario(factory.CreateForArena);
                Console.WriteLine($"{factory.Mechanism} {name}");
            }
        }

        if (automatic.CanFreeze) RunFreezing(automatic);
        Console.WriteLine(
            $"user {Environment.UserName} auto {automatic.Mechanism} " +
            $"privileged {MachineCapabilities.Current[Capability.CopyOnWriteInSystemCalls]}");
        return 0;
    }

    /// <summary>The same for memory that Snapshot did not allocate.</summary>
    internal static int RunForeign()
    {
        using TrackerFactory automatic = new(MachineCapabilities.Current, TrackingMechanism.Auto);
        using TrackerFactory hashing = new(MachineCapabilities.Current, TrackingMechanism.ContentHash);
        foreach (TrackerFactory factory in (TrackerFactory[])[automatic, hashing])
        {
            foreach ((string name, Action<Func<MemoryRegion, DirtyTracker>> scenario) in ForeignScenarios.All)
            {
                scenario(region => factory.CreateForBuffer(region));
                Console.WriteLine($"{factory.Mechanism} {name}");
            }
        }

        return 0;
    }

    /// <summary>
    /// Without privilege a system call cannot write armed memory; what needs that is run to show that it
    /// fails.
    /// </summary>
    private static void RunFreezing(TrackerFactory factory)
    {
        foreach ((string name, Action<Func<MemoryRegion, DirtyTracker>> scenario) in TrackerScenarios.All)
        {
            if (!factory.CanFreezeUnnoticed && TrackerScenarios.WithSystemCalls.Contains(name)) continue;
            scenario(factory.CreateFreezing);
            Console.WriteLine($"{TrackingMechanism.ServedWriteProtect} {name}");
        }

        try
        {
            TrackerScenarios.ReadFromPipeIsSeen(factory.CreateFreezing);
            Console.WriteLine("read into armed memory: succeeded");
        }
        catch (IOException error)
        {
            Console.WriteLine($"read into armed memory: {error.Message}");
        }
    }
}
