using System.Runtime.InteropServices;

namespace Snapshot.TestPrograms;

/// <summary>As <c>struct scene</c>, which native code writes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Scene
{
    public ArenaMutex Mutex;
    public uint Go;
    public uint Wanting;
    public uint Released;
    public uint Entered;
    public uint EnteredEarly;
    public int Descriptor;
    public uint Rounds;
    public nint Callback;
    public uint Checkpoints;
    public uint Continues;
    public uint Restarts;
    public ulong Total;
    public ulong Again;
}

/// <summary>What fibers do in scenes with native threads.</summary>
internal static class NativeSceneFibers
{
    /// <summary>Counts under the lock that native threads take, too.</summary>
    internal static async FiberTask Count(ArenaPointer<Scene> shared)
    {
        for (uint round = 0; round < shared.Value.Rounds; round++)
        {
            await shared.Value.Mutex.EnterAsync();
            shared.Value.Total++;
            shared.Value.Again = shared.Value.Total;
            shared.Value.Mutex.Exit();
        }
    }
}
