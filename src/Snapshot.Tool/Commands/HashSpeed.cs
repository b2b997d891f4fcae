using System.Diagnostics;
using Snapshot.Tracking;

namespace Snapshot.Tool.Commands;

/// <summary>How long a pause is made by finding changed pages by their content.</summary>
internal static class HashSpeed
{
    private const int PageBytes = 4096;
    private const int PieceBytes = 32 << 20;
    private const long GiB = 1L << 30;

    /// <summary>
    /// Hashes a piece of memory on each processor, as a tracker does, and returns milliseconds a GiB.
    /// </summary>
    internal static double MillisecondsPerGiB()
    {
        byte[][] pieces = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Filled())];
        Stopwatch watch = Stopwatch.StartNew();
        Parallel.ForEach(pieces, Hash);
        return watch.Elapsed.TotalMilliseconds * GiB / ((double)PieceBytes * pieces.Length);
    }

    private static byte[] Filled()
    {
        byte[] piece = GC.AllocateUninitializedArray<byte>(PieceBytes);
        Array.Fill(piece, (byte)1);
        return piece;
    }

    private static void Hash(byte[] piece)
    {
        for (int at = 0; at < piece.Length; at += PageBytes) _ = PageHashes.Hash(piece.AsSpan(at, PageBytes));
    }
}
