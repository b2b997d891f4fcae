using Snapshot.Tracking;

namespace Snapshot.TestPrograms;

/// <summary>
/// Runs every tracker scenario with each mechanism that works here, under whatever user it was started as. Prints one
/// line for each, then which mechanism Auto chose.
/// </summary>
internal static class TrackerAsUser
{
    internal static int Run()
    {
        using TrackerFactory automatic = new(KernelCapabilities.Current, TrackingMechanism.Auto);
        using TrackerFactory hashing = new(KernelCapabilities.Current, TrackingMechanism.ContentHash);
        foreach (TrackerFactory factory in (TrackerFactory[])[automatic, hashing])
        {
            foreach ((string name, Action<TrackerFactory> scenario) in TrackerScenarios.All)
            {
                scenario(factory);
                Console.WriteLine($"{factory.Mechanism} {name}");
            }
        }

        Console.WriteLine(
            $"user {Environment.UserName} auto {automatic.Mechanism} " +
            $"privileged {KernelCapabilities.Current.UserfaultPrivileged}");
        return 0;
    }
}
