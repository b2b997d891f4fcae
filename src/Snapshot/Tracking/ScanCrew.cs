using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Snapshot.Interop;

namespace Snapshot.Tracking;

/// <summary>Work in pieces that several threads may do at the same time.</summary>
internal interface IScanWork
{
    /// <summary>
    /// Does one piece with a scan that nobody else uses meanwhile. Allocates no managed memory.
    /// </summary>
    internal void Do(int piece, PageScan scan);
}

/// <summary>
/// Threads that help the one that looks at page tables: each takes the next piece until none is left.
/// Participants stand still in the pause, so the processors are there.
/// </summary>
/// <remarks>
/// <para>Nobody is waited for who has not come: whoever runs the work begins at once, and when no piece is
/// left closes the door. A helper says that it is inside, then looks whether the door is open; the other
/// closes the door, then looks who is inside. Both with full fences, so one of the two sees the other: a
/// helper that comes too late leaves, and one that came in time is waited for. What the next run sets up is
/// written while nobody is inside who found the door open, and before it opens.</para>
/// <para>No wake-up is lost, for helpers sleep on the count of runs. One that oversleeps a run takes part in
/// the next. A helper's results are visible when <see cref="Run"/> returns: it leaves by an interlocked
/// decrement, which is read there.</para>
/// <para><see cref="Run"/>, <see cref="Man()"/> and <see cref="Dispose"/>: one thread at a time. Without
/// helpers, also after it was disposed, the calling thread does all.</para>
/// </remarks>
internal sealed unsafe class ScanCrew : IDisposable
{
    private const int MembersMax = 8;

    private readonly PagemapDescriptor _pagemap;
    private readonly List<(Thread Thread, PageScan Scan)> _helpers = [];
    private readonly uint* _runs;
    private IScanWork? _work;
    private Exception? _failure;
    private int _pieces;
    private int _next;
    private int _inside;
    private int _isOpen;
    private volatile bool _isEnding;

    /// <summary>A crew of the calling thread alone.</summary>
    internal ScanCrew(PagemapDescriptor pagemap)
    {
        _pagemap = pagemap;
        _runs = (uint*)NativeMemory.AllocZeroed(sizeof(uint));
    }

    /// <summary>The threads there are, the calling one included.</summary>
    internal int Size => _helpers.Count + 1;

    /// <summary>Gets the helpers that the processors allow, if it has not got them.</summary>
    internal void Man() => Man(Math.Min(Environment.ProcessorCount, MembersMax));

    /// <inheritdoc cref="Man()"/>
    internal void Man(int size)
    {
        while (Size < size)
        {
            PageScan scan = new(_pagemap);
            uint runs = *_runs;
            Thread helper = new(() => Help(scan, runs))
            {
                Name = "snapshot scan",
                IsBackground = true,
            };
            try
            {
                helper.Start();
            }
            catch (OutOfMemoryException)
            {
                // The system has no thread to give: those there are do the work.
                scan.Dispose();
                return;
            }

            _helpers.Add((helper, scan));
        }
    }

    /// <summary>Does all pieces, 0 and up; returns when they are done. No managed allocation.</summary>
    /// <param name="work">Does a piece.</param>
    /// <param name="pieces">How many there are.</param>
    /// <param name="own">For the pieces that the calling thread does.</param>
    internal void Run(IScanWork work, int pieces, PageScan own)
    {
        _work = work;
        _pieces = pieces;
        _next = 0;
        _failure = null;
        Volatile.Write(ref _isOpen, 1);
        if (_helpers.Count > 0 && pieces > 1)
        {
            Interlocked.Increment(ref *_runs);
            _ = Native.sn_futex_wake(_runs, int.MaxValue);
        }

        TakePieces(own);
        Interlocked.Exchange(ref _isOpen, 0);
        SpinWait waiting = default;
        while (Volatile.Read(ref _inside) != 0) waiting.SpinOnce(sleep1Threshold: -1);
        _work = null;
        if (_failure is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    public void Dispose()
    {
        if (_isEnding) return;
        _isEnding = true;
        Interlocked.Increment(ref *_runs);
        _ = Native.sn_futex_wake(_runs, int.MaxValue);
        foreach ((Thread thread, PageScan scan) in _helpers)
        {
            thread.Join();
            scan.Dispose();
        }

        _helpers.Clear();
        NativeMemory.Free(_runs);
    }

    private void Help(PageScan scan, uint seen)
    {
        while (!_isEnding)
        {
            uint runs = Volatile.Read(ref *_runs);
            if (runs == seen)
            {
                _ = Native.sn_futex_wait(_runs, seen, -1);
                continue;
            }

            seen = runs;
            Interlocked.Increment(ref _inside);
            if (Volatile.Read(ref _isOpen) != 0) TakePieces(scan);
            Interlocked.Decrement(ref _inside);
        }
    }

    private void TakePieces(PageScan scan)
    {
        try
        {
            for (int piece; (piece = Interlocked.Increment(ref _next) - 1) < _pieces;) _work!.Do(piece, scan);
        }
#pragma warning disable CA1031 // Whatever it is, Run throws it, when nobody is inside any more.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _failure, error, null);
        }
    }
}
