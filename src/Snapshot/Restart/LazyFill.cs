using System.Diagnostics;
using Snapshot.Base;
using Snapshot.Interop;
using Snapshot.Memory;

namespace Snapshot.Restart;

/// <summary>
/// Fills arenas from a plan while the application runs: a page that is touched is fetched, the rest streams
/// in behind.
/// </summary>
/// <remarks>
/// <para>This class starts and ends threads; what they do is in the C part (fill.c), which says why: between
/// the touch of a page and its arrival no managed code may run.</para>
/// <para>Sequence: <see cref="Begin"/>; what is touched now is served, and failures are kept for
/// <see cref="EndOpening"/>; <see cref="Stream"/>; then either all has come, or <see cref="StopStreaming"/>.
/// Servers go on until <see cref="Dispose"/>, for memory that was freed is given zeros by them. A page
/// arrives write-protected, which to tracking is unwritten, and its hash is recorded first: an increment
/// leaves it to its parent.</para>
/// </remarks>
internal sealed unsafe class LazyFill : IDisposable
{
    private const int StackBytes = 256 << 10;

    private readonly RestartPlan _plan;
    private readonly FillTables _tables;
    private readonly UserfaultDescriptor _userfault;
    private readonly NativeServers _servers = new();
    private readonly List<Thread> _streamers = [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly Lock _ending = new();
    private Action<SnapshotException>? _onFailed;
    private int _streaming;
    private (long Bytes, long Faults)? _last;

    private LazyFill(RestartPlan plan, FillTables tables, UserfaultDescriptor userfault, long otherBytes)
    {
        _plan = plan;
        _tables = tables;
        _userfault = userfault;
        bool referenced = false;
        userfault.DangerousAddRef(ref referenced);
        tables.State->Userfault = userfault.Number;
        tables.State->Stop = _servers.StopNumber;
        tables.State->Lenient = 1;
        Residency = new RestartResidency(otherBytes + Pages.Bytes(tables.PageCount), () => Now(otherBytes));
    }

    internal RestartResidency Residency { get; }

    /// <summary>Everything is there, and no file is read any more.</summary>
    internal bool IsComplete => Residency.Completed.IsCompletedSuccessfully;

    /// <summary>What the first failure was, or null.</summary>
    internal SnapshotException? Failure => _tables.FailureOf(_plan);

    /// <summary>
    /// Registers the arenas and serves faults from now on. Owns the plan; when it throws, the plan is closed.
    /// </summary>
    /// <param name="plan">What to read.</param>
    /// <param name="memory">Mapped, and not yet filled.</param>
    /// <param name="userfault">The one that the arenas' tracking uses.</param>
    /// <param name="otherBytes">Bytes that are there already.</param>
    internal static LazyFill Begin(
        RestartPlan plan, RestoredMemory memory, UserfaultDescriptor userfault, long otherBytes)
    {
        if (plan.Chain.FirstOrDefault(image => image.File is null) is { } remote)
        {
            throw new SnapshotException(
                SnapshotErrorCode.Unsupported,
                $"A lazy restart reads the images while the program runs, and {remote.Name} is not a file " +
                "on this machine. Restart eagerly.");
        }

        FillTables tables = FillTables.Build(plan, memory.Targets, RegionKind.Arena);
        LazyFill? fill = null;
        try
        {
            fill = new LazyFill(plan, tables, userfault, otherBytes);
            fill.Register();
            fill._servers.Start(
                "snapshot faults", () => Native.sn_fill_serve(tables.State),
                () => Volatile.Read(ref tables.State->Serving));
            memory.FillFrom(fill);
            return fill;
        }
        catch
        {
            if (fill is null) tables.Dispose();
            else fill.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The arenas were checked, and the session begins: from now on a page that cannot be had ends the
    /// process.
    /// </summary>
    /// <exception cref="SnapshotException">Something that was touched so far could not be had.</exception>
    internal void EndOpening()
    {
        if (Failure is { } failure) throw failure;
        Volatile.Write(ref _tables.State->Lenient, 0);
    }

    /// <summary>Streams in what is not there.</summary>
    /// <param name="threads">How many threads read.</param>
    /// <param name="onFailed">Told, once, when something cannot be had.</param>
    internal void Stream(int threads, Action<SnapshotException> onFailed)
    {
        _onFailed = onFailed;
        _streaming = threads;
        for (int index = 0; index < threads; index++)
        {
            Thread thread =
                new(RunStreamer, StackBytes) { Name = $"snapshot fill {index}", IsBackground = true };
            thread.Start(); // or the system has no thread to give, and there is none to wait for
            _streamers.Add(thread);
        }
    }

    /// <summary>Ends the streaming, whether all has come or not, and waits for it.</summary>
    internal void StopStreaming()
    {
        _ = Native.sn_fill_stop_streaming(_tables.State);
        foreach (Thread thread in _streamers) thread.Join();
        Residency.SetClosed();
    }

    /// <summary>
    /// After this nothing is fetched and no hash is recorded. Call it when streaming was stopped and the
    /// arenas sealed.
    /// </summary>
    internal void Close() => _ = Native.sn_fill_close(_tables.State);

    internal void Fetch(byte* address, long bytes)
    {
        int errno = Native.sn_fill_fetch(_tables.State, (ulong)address, (ulong)bytes);
        if (errno == 0) return;
        SnapshotException failure =
            Failure ?? NativeError.ForMemory(errno, "fetching pages of an image", "Leave more memory free.");
        if (_onFailed is not null && Failure is not null) Fail(failure);
        throw failure;
    }

    internal void Forget(byte* address, long bytes) =>
        _ = Native.sn_fill_forget(_tables.State, (ulong)address, (ulong)bytes);

    /// <summary>Fails only where nothing is registered, and then nobody waits.</summary>
    internal void Wake(byte* address, long bytes) =>
        _ = Native.sn_uffd_wake(_userfault.Number, (ulong)address, (ulong)bytes);

    /// <summary>
    /// Ends the servers. The arenas must be unmapped by then, or complete and no longer registered.
    /// </summary>
    public void Dispose()
    {
        lock (_ending)
        {
            if (_last is not null) return;
            _last = Now(0);
        }

        StopStreaming();
        _servers.Dispose();
        _userfault.DangerousRelease();
        _plan.Dispose();
        _tables.Dispose();
    }

    private (long Bytes, long Faults) Now(long otherBytes)
    {
        lock (_ending)
        {
            if (_last is { } last) return (last.Bytes + otherBytes, last.Faults);
            FillState* state = _tables.State;
            return (
                otherBytes + Pages.Bytes((long)Volatile.Read(ref state->PagesInstalled)),
                (long)Volatile.Read(ref state->Faults));
        }
    }

    private void Register()
    {
        foreach (FillRange range in _tables.Ranges)
        {
            NativeError.ThrowIfFailed(
                Native.sn_uffd_register_missing(_userfault.Number, range.Start, range.End - range.Start),
                "UFFDIO_REGISTER",
                "A lazy restart needs pages on demand. Restart eagerly on this machine.");
        }
    }

    private void RunStreamer()
    {
        int errno = Native.sn_fill_stream(_tables.State);
        if (Interlocked.Decrement(ref _streaming) > 0) return;
        FillState* state = _tables.State;
        if (errno != 0 && Volatile.Read(ref state->Remaining) > 0 && Volatile.Read(ref state->Stopping) == 0)
        {
            Fail(NativeError.ForMemory(
                errno, "mmap of a buffer", "Leave more memory free, or restart eagerly."));
        }
        else if (Failure is { } failure)
        {
            Fail(failure);
        }
        else if (Volatile.Read(ref state->Remaining) == 0)
        {
            // No file is needed any more, and none should keep deleted images on the disk.
            _plan.Dispose();
            Residency.SetComplete(Stopwatch.GetElapsedTime(_started));
        }
    }

    private void Fail(SnapshotException failure)
    {
        _onFailed!(failure);
        Residency.SetFailed(failure);
    }
}

/// <summary>What of one arena is still to come.</summary>
internal sealed unsafe class AwaitedArena(LazyFill fill, byte* address) : IAwaitedPages
{
    public void Fetch(PageRange pages) =>
        fill.Fetch(address + Pages.Bytes(pages.Start), Pages.Bytes(pages.Count));

    public void Forget(PageRange pages) =>
        fill.Forget(address + Pages.Bytes(pages.Start), Pages.Bytes(pages.Count));

    public void Discarded(PageRange pages) =>
        fill.Wake(address + Pages.Bytes(pages.Start), Pages.Bytes(pages.Count));
}
