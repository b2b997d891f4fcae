namespace Snapshot.Mpi.Calls;

/// <summary>What a part throws, as a value: whoever runs it owes others the rest all the same.</summary>
internal static class ThrownBy
{
    internal static Exception? Part(Action part)
    {
        try
        {
            part();
            return null;
        }
#pragma warning disable CA1031 // Whatever it is, other ranks wait to hear of it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return error;
        }
    }
}
