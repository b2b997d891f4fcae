using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Snapshot.Image;

namespace Snapshot.Mpi.Levels;

/// <summary>Memory of one message, which MPI may be reading or writing.</summary>
/// <remarks>
/// It is never of an arena: what is sent is what was captured, and an arena is the program's. A buffer that
/// MPI still has when nobody waits for it any more, because the job fails, is kept for good.
/// </remarks>
/// <param name="bytes">The most that the message may have.</param>
/// <param name="pool">Where it goes when it is used, or null where it is used once.</param>
internal sealed class MessageBuffer(int bytes, BlockingCollection<MessageBuffer>? pool = null) : IDisposable
{
    private static readonly ConcurrentBag<MessageBuffer> s_abandoned = [];

    internal AlignedBuffer Memory { get; } = new(bytes);

    /// <summary>How much of it the message is.</summary>
    internal int Length { get; set; } = bytes;

    /// <summary>Of MPI, while it has the buffer; else -1.</summary>
    internal int Request { get; set; } = -1;

    internal Span<byte> Message => Memory.Span[..Length];

    /// <summary>A message of one record, used once.</summary>
    internal static MessageBuffer Of<T>(T record, ReadOnlySpan<byte> rest = default)
        where T : unmanaged
    {
        ReadOnlySpan<byte> first = MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in record));
        MessageBuffer message = new(first.Length + rest.Length);
        first.CopyTo(message.Message);
        rest.CopyTo(message.Message[first.Length..]);
        return message;
    }

    /// <summary>Nobody needs it for now.</summary>
    internal void Release()
    {
        if (pool is null) Dispose();
        else pool.Add(this);
    }

    public void Dispose()
    {
        if (Request >= 0) s_abandoned.Add(this);
        else Memory.Dispose();
    }
}
