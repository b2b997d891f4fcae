using System.Runtime.InteropServices;

namespace Snapshot.Mpi.Calls;

/// <summary>The table of native/calls.h, which says what each does.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly unsafe struct MpiCalls
{
    internal const int AbiVersion = 1;

    internal readonly int Abi;
    internal readonly MpiFamily Family;
    internal readonly delegate* unmanaged<int*, int*, int> Start;
    internal readonly delegate* unmanaged<int> Finish;
    internal readonly delegate* unmanaged<byte*, int, int> Version;
    internal readonly delegate* unmanaged<int, byte*, int, void> Describe;
    internal readonly delegate* unmanaged<int, int> Abort;
    internal readonly delegate* unmanaged<int, int*, int*, int*, int> Open;
    internal readonly delegate* unmanaged<int, int> Close;
    internal readonly delegate* unmanaged<int*, int> World;
    internal readonly delegate* unmanaged<int, int> Barrier;
    internal readonly delegate* unmanaged<int, void*, long, int, int> Broadcast;
    internal readonly delegate* unmanaged<int, void*, int, void*, int, int> Gather;
    internal readonly delegate* unmanaged<int, long*, int, int> Reduce;
    internal readonly delegate* unmanaged<int, double*, int, int, int> ReduceNumbers;
    internal readonly delegate* unmanaged<int, long*, long*, int, int*, int> ReduceStart;
    internal readonly delegate* unmanaged<int, void*, long, int, int, int*, int> SendStart;
    internal readonly delegate* unmanaged<int, void*, long, int, int, int*, int> ReceiveStart;
    internal readonly delegate* unmanaged<int, int> Wait;
    internal readonly delegate* unmanaged<int, int*, int> Test;
    internal readonly delegate* unmanaged<int, int*, UnreceivedMessage*, int> Look;
}

/// <summary>What a table was compiled for.</summary>
internal enum MpiFamily
{
    OpenMpi = 1,
    Mpich,
    Other,
}

/// <summary>A message that nobody has received yet.</summary>
/// <param name="Source">The rank that sent it.</param>
/// <param name="Tag">Its tag.</param>
/// <param name="Bytes">Its length, or -1 where that is not known.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct UnreceivedMessage(int Source, int Tag, long Bytes);
