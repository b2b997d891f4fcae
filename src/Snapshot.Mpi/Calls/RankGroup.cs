using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Snapshot.Mpi.Calls;

/// <summary>
/// The ranks of a job, on a communicator of their own. Every method is collective: all ranks call the same
/// ones in the same order, also those that have failed.
/// </summary>
/// <remarks>For one thread, as MPI was begun for no more.</remarks>
internal sealed unsafe class RankGroup : IDisposable
{
    private const int WhyBytes = 4096;

    private readonly MpiLibrary _mpi;
    private readonly int _communicator;
    private bool _isClosed;

    /// <param name="mpi">The MPI of the process.</param>
    /// <param name="of">Whose ranks: the Fortran handle of a communicator, or 0 for all processes.</param>
    internal RankGroup(MpiLibrary mpi, int of)
    {
        _mpi = mpi;
        (_communicator, Rank, Size) = mpi.Duplicate(of);
    }

    internal int Rank { get; }

    internal int Size { get; }

    internal void Barrier() => _mpi.Check(_mpi.Calls.Barrier(_communicator), "MPI_Barrier");

    /// <summary>Puts the greatest of all ranks in the place of each word.</summary>
    internal void Max(Span<long> words)
    {
        fixed (long* at = words)
            _mpi.Check(_mpi.Calls.Reduce(_communicator, at, words.Length), "MPI_Allreduce");
    }

    /// <summary>
    /// Begins the same; <paramref name="result"/> is there when <see cref="Wait"/> returns.
    /// </summary>
    /// <param name="words">Pinned, and unchanged until then.</param>
    /// <param name="result">Pinned.</param>
    internal int StartMax(long[] words, long[] result)
    {
        int request;
        _mpi.Check(
            _mpi.Calls.ReduceStart(
                _communicator, (long*)Unsafe.AsPointer(ref words[0]), (long*)Unsafe.AsPointer(ref result[0]),
                words.Length, &request),
            "MPI_Iallreduce");
        return request;
    }

    internal void Wait(int request) => _mpi.Check(_mpi.Calls.Wait(request), "MPI_Wait");

    /// <summary>The records of all ranks, in their order, at the root; nothing elsewhere.</summary>
    internal T[] Gather<T>(T mine, int root)
        where T : unmanaged
    {
        T[] all = new T[Rank == root ? Size : 0];
        fixed (T* at = all)
            _mpi.Check(_mpi.Calls.Gather(_communicator, &mine, sizeof(T), at, root), "MPI_Gather");
        return all;
    }

    /// <summary>The records of all ranks, in their order, everywhere.</summary>
    internal T[] GatherToAll<T>(T mine)
        where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(Broadcast(
            MemoryMarshal.AsBytes(Gather(mine, root: 0).AsSpan()).ToArray(), root: 0)).ToArray();

    /// <summary>What the root has.</summary>
    internal byte[] Broadcast(byte[] bytes, int root)
    {
        long length = bytes.Length;
        _mpi.Check(_mpi.Calls.Broadcast(_communicator, &length, sizeof(long), root), "MPI_Bcast");
        byte[] all = Rank == root ? bytes : new byte[length];
        fixed (byte* at = all) _mpi.Check(_mpi.Calls.Broadcast(_communicator, at, length, root), "MPI_Bcast");
        return all;
    }

    /// <summary>
    /// Runs a part on each rank. Where it threw on one, all are told: the rank itself what it threw, the
    /// others RankFailed with the words of the first that failed. Null where it went well everywhere.
    /// </summary>
    /// <exception cref="SnapshotException">Mpi: the ranks cannot tell each other.</exception>
    internal Exception? Try(Action part)
    {
        Exception? thrown = ThrownBy.Part(part);
        long[] failed = [thrown is null ? 0 : Size - Rank];
        Max(failed);
        if (failed[0] == 0) return null;
        int first = Size - (int)failed[0];
        string why = Encoding.UTF8.GetString(Broadcast(Rank == first ? Shortened(thrown!) : [], first));
        return thrown ?? new SnapshotException(SnapshotErrorCode.RankFailed, $"Rank {first} failed: {why}");
    }

    /// <summary>The same, thrown.</summary>
    internal void Together(Action part)
    {
        if (Try(part) is { } error) ExceptionDispatchInfo.Throw(error);
    }

    /// <summary>The same for a part that gives something.</summary>
    internal T Together<T>(Func<T> part)
    {
        T result = default!;
        Together(() => { result = part(); });
        return result;
    }

    /// <summary>
    /// Begins to send; not collective. False where too many messages are open: once more later.
    /// </summary>
    /// <param name="bytes">Unchanged until <see cref="Test"/> says so.</param>
    /// <param name="count">Its length.</param>
    /// <param name="to">The rank.</param>
    /// <param name="tag">The same on both sides.</param>
    /// <param name="request">What to test.</param>
    internal bool TrySend(byte* bytes, long count, int to, int tag, out int request)
    {
        int open;
        _mpi.Check(_mpi.Calls.SendStart(_communicator, bytes, count, to, tag, &open), "MPI_Isend");
        request = open;
        return open >= 0;
    }

    /// <summary>Begins to receive no more than <paramref name="count"/> bytes; else as sending.</summary>
    /// <inheritdoc cref="TrySend"/>
    internal bool TryReceive(byte* bytes, long count, int from, int tag, out int request)
    {
        int open;
        _mpi.Check(_mpi.Calls.ReceiveStart(_communicator, bytes, count, from, tag, &open), "MPI_Irecv");
        request = open;
        return open >= 0;
    }

    /// <summary>Whether what was begun has ended; not collective. It is asked no more then.</summary>
    internal bool Test(int request)
    {
        int done;
        _mpi.Check(_mpi.Calls.Test(request, &done), "MPI_Test");
        return done != 0;
    }

    /// <summary>Whether a message waits to be received on a communicator. Not collective.</summary>
    internal bool Look(int communicator, out UnreceivedMessage message)
    {
        int found;
        UnreceivedMessage seen = default;
        _mpi.Check(_mpi.Calls.Look(communicator, &found, &seen), "MPI_Iprobe");
        message = seen;
        return found != 0;
    }

    public void Dispose()
    {
        if (_isClosed) return;
        _isClosed = true;
        _mpi.Check(_mpi.Calls.Close(_communicator), "MPI_Comm_free");
    }

    private static byte[] Shortened(Exception error)
    {
        string text =
            $"{error.Message} ({(error as SnapshotException)?.Code.ToString() ?? error.GetType().Name})";
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return bytes.Length <= WhyBytes ? bytes : bytes[..WhyBytes];
    }
}
