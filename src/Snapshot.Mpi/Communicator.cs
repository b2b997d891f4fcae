using System.Runtime.CompilerServices;
using Snapshot.Mpi.Calls;

namespace Snapshot.Mpi;

/// <summary>
/// What C# programs without a binding of their own need to exchange data between ranks. Its messages are on
/// a communicator of its own.
/// </summary>
/// <remarks>
/// For the thread that polls the job. All calls return when their messages are complete, so none is open at
/// a safepoint. A peer of -1 is nobody: what is sent there is dropped, and nothing is received from there.
/// </remarks>
public sealed unsafe class Communicator
{
    private readonly MpiLibrary _mpi;
    private bool _isClosed;

    /// <param name="mpi">The MPI of the process.</param>
    /// <param name="of">Whose ranks: the Fortran handle of a communicator, or 0 for all processes.</param>
    internal Communicator(MpiLibrary mpi, int of)
    {
        _mpi = mpi;
        (Handle, Rank, Size) = mpi.Duplicate(of);
    }

    /// <summary>The number of this process, from 0.</summary>
    public int Rank { get; }

    /// <summary>The number of processes.</summary>
    public int Size { get; }

    /// <summary>The communicator as a Fortran handle (<c>MPI_Comm_c2f</c>), for other bindings.</summary>
    public int Handle { get; }

    /// <summary>Returns when all ranks have called it.</summary>
    /// <exception cref="SnapshotException">Mpi: the call failed.</exception>
    public void Barrier() => _mpi.Check(_mpi.Calls.Barrier(Handle), "MPI_Barrier");

    /// <summary>Sends to one rank and receives from another, both at once, as halos are exchanged.</summary>
    /// <param name="send">What to send.</param>
    /// <param name="to">The rank to send to, or -1.</param>
    /// <param name="receive">Filled, unless <paramref name="from"/> is -1.</param>
    /// <param name="from">The rank to receive from, or -1.</param>
    /// <param name="tag">The same on both sides.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such rank.</exception>
    /// <exception cref="SnapshotException">Mpi: a call failed, as when a message is longer than what is to
    /// receive it.</exception>
    public void Exchange<T>(ReadOnlySpan<T> send, int to, Span<T> receive, int from, int tag = 0)
        where T : unmanaged
    {
        CheckPeer(to);
        CheckPeer(from);
        fixed (T* source = send, target = receive)
        {
            int received = -1, sent = -1, errorOfSend = 0, errorOfReceive = 0;
            if (from >= 0)
            {
                _mpi.Check(
                    _mpi.Calls.ReceiveStart(
                        Handle, target, (long)receive.Length * sizeof(T), from, tag, &received),
                    "MPI_Irecv");
            }

            if (to >= 0)
            {
                errorOfSend = _mpi.Calls.SendStart(
                    Handle, source, (long)send.Length * sizeof(T), to, tag, &sent);
            }

            // MPI has the memory until both have ended. Where the send failed the peer may send nothing,
            // either: the receive stays open, and the job cannot go on.
            if (sent >= 0 && errorOfSend == 0) errorOfSend = _mpi.Calls.Wait(sent);
            if (received >= 0 && errorOfSend == 0) errorOfReceive = _mpi.Calls.Wait(received);
            _mpi.Check(errorOfSend, "MPI_Isend");
            _mpi.Check(errorOfReceive, "MPI_Irecv");
        }
    }

    /// <summary>Sends; returns when the memory may be used again.</summary>
    /// <inheritdoc cref="Exchange"/>
    public void Send<T>(ReadOnlySpan<T> send, int to, int tag = 0)
        where T : unmanaged => Exchange(send, to, [], -1, tag);

    /// <summary>Receives as many bytes as there is room for, or fewer.</summary>
    /// <inheritdoc cref="Exchange"/>
    public void Receive<T>(Span<T> receive, int from, int tag = 0)
        where T : unmanaged => Exchange([], -1, receive, from, tag);

    /// <summary>The sum over all ranks; with the same rounding on each.</summary>
    /// <exception cref="SnapshotException">Mpi: the call failed.</exception>
    public double Sum(double value) => Reduce(value, operation: 1);

    /// <summary>The greatest of all ranks.</summary>
    /// <exception cref="SnapshotException">Mpi: the call failed.</exception>
    public double Max(double value) => Reduce(value, operation: 0);

    internal void Close()
    {
        if (_isClosed) return;
        _isClosed = true;
        _mpi.Check(_mpi.Calls.Close(Handle), "MPI_Comm_free");
    }

    private void CheckPeer(int rank, [CallerArgumentExpression(nameof(rank))] string name = "")
    {
        if (rank < -1 || rank >= Size)
            throw new ArgumentOutOfRangeException(
                name, rank, $"the ranks are 0 to {Size - 1}, and -1 is nobody");
    }

    private double Reduce(double value, int operation)
    {
        _mpi.Check(_mpi.Calls.ReduceNumbers(Handle, &value, 1, operation), "MPI_Allreduce");
        return value;
    }
}
