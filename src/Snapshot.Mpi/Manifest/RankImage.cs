using System.Runtime.InteropServices;

namespace Snapshot.Mpi.Manifest;

/// <summary>The image of one rank in a generation of the job; 48 bytes in the file.</summary>
/// <remarks>
/// The id is what counts: numbers of different ranks drift apart after the first crash, and the newest number
/// that all have may belong to two histories.
/// </remarks>
/// <param name="Generation">The number that the rank's own store gave it.</param>
/// <param name="ImageId">Names the state of the memory.</param>
/// <param name="FileBytes">The length of the image when it was committed.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct RankImage(long Generation, Guid ImageId, long FileBytes);
