using Snapshot.Coordination;
using Snapshot.Interop;

namespace Snapshot.NativeThreads;

/// <summary>
/// The native threads of a session: C, C++ and Fortran code that is captured at any instruction.
/// </summary>
/// <remarks>
/// <para>Thread-safe. A restarted program makes the same calls: it opens the host with the same arena, loads
/// the same modules in the same order, and starts the threads by their names, which then go on where they
/// stood. What native code may do is in docs/NATIVE.md.</para>
/// <para>A process has one host in its life. When the session is closed while native threads run, they go on.
/// Its arenas stay mapped until the process ends, since modules do.</para>
/// </remarks>
public sealed unsafe class NativeHost : ISessionPart
{
    private readonly NativeSpace _space;
    private readonly SnapshotSession _session;
    private readonly Coordinator _coordinator;
    private readonly NativeParticipant _participant;

    internal NativeHost(SnapshotSession session, Arena arena, NativeOptions options)
    {
        SessionParts parts = session.Parts;
        parts.ThrowIfBySignals("Native threads");
        ThrowIfUnsupported();
        _session = session;
        _coordinator = parts.Coordinator;
        _space = new NativeSpace(arena, options.HeapBytes, options.StackBytes, options.Signal);
        NativeAudit? audit = parts.Subscribers.Guard(options.Audit) is { } report
            ? new NativeAudit(_space, () => session.Arenas, report)
            : null;
        _participant = new NativeParticipant(_coordinator, _space, options.Handlers, audit, parts.Share);
        parts.WhenFibersAreUsed(NativeSpace.ExpectFibers);
    }

    /// <summary>Where stacks, registers and the heap of native threads are.</summary>
    public Arena Arena => _space.Arena;

    /// <summary>
    /// Loads a library that keeps the contract of native modules. Its writable data is part of images from
    /// now on, and in a restarted session becomes what it was.
    /// </summary>
    /// <param name="path">The file; a module that is loaded already is returned.</param>
    /// <exception cref="SnapshotException"><see cref="SnapshotErrorCode.NativeModule"/>: it breaks the
    /// contract, is not at its address, or is not the module of the image. The message names each fault and
    /// what to do.</exception>
    public NativeModule Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return _space.Load(
            Path.GetFullPath(path), (name, address, bytes) => _session.Protect(name, (void*)address, bytes));
    }

    /// <summary>
    /// Starts a native thread; or lets the one of the image that has the name go on, or tells how it ended
    /// there.
    /// </summary>
    /// <param name="name">Unique in the arena, at most 63 bytes of UTF-8.</param>
    /// <param name="module">Where its function is.</param>
    /// <param name="symbol">The function: <c>uint64_t f(void *argument)</c>.</param>
    /// <param name="argument">Given to the function, as a rule memory of an arena; not used for a thread of
    /// the image.
    /// </param>
    /// <exception cref="SnapshotException">NativeModule: the image's thread of that name runs another
    /// function. Unclaimed: modules of the image are not loaded. NameTaken, ArenaFull,
    /// SystemCall.</exception>
    /// <exception cref="ArgumentException">The name is too long.</exception>
    public NativeThread Start(string name, NativeModule module, string symbol, void* argument)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(module);
        int owner = _coordinator.OwnerIdOf($"native thread '{name}'");
        return _space.Start(name, owner, module.Function(symbol), argument);
    }

    /// <summary>Starts a native thread, or lets the one of the image go on, without unsafe code.</summary>
    /// <inheritdoc cref="Start(string, NativeModule, string, void*)" />
    public NativeThread Start<T>(string name, NativeModule module, string symbol, ArenaPointer<T> argument)
        where T : unmanaged =>
        Start(name, module, symbol, (void*)argument.Pointer);

    /// <summary>
    /// Lets all threads of the image go on at once; none in a session that is not restarted.
    /// <see cref="Start"/> then finds them by their names.
    /// </summary>
    /// <remarks>
    /// With hundreds of threads faster than to start one after the other: those that run already would take
    /// the processors from the one that starts the rest.
    /// </remarks>
    /// <exception cref="SnapshotException">
    /// Unclaimed: modules of the image are not loaded. SystemCall.
    /// </exception>
    public void ContinueAll() => _space.ContinueAll();

    private static void ThrowIfUnsupported()
    {
        if (MachineCapabilities.Current[Capability.NativeThreads]) return;
        throw new SnapshotException(
            SnapshotErrorCode.Unsupported,
            "Native threads cannot be captured here. " +
            MachineCapabilities.Current.Describe(Capability.NativeThreads));
    }

    /// <summary>Leaves the session, unless native threads run: then they stay a part of it.</summary>
    void ISessionPart.Close()
    {
        if (!_space.HasRunning) _participant.Leave();
    }
}
