namespace Snapshot.NativeThreads;

/// <summary>What native threads add to a session.</summary>
public static class SnapshotSessionExtensions
{
    /// <summary>
    /// Opens the host of the session's native threads; once, and a restarted session with the arena that has
    /// them.
    /// </summary>
    /// <param name="session">Which they are part of; it closes the host.</param>
    /// <param name="arena">Where their stacks, registers and heap are.</param>
    /// <param name="options">How they live, or null for the defaults.</param>
    /// <exception cref="SnapshotException">Unsupported: this is not x86-64. NativeLibrary: the runtime is
    /// missing. Corrupt, UnsupportedFormat: what the image says of native threads is damaged, or of another
    /// version. NativeModule: the image is of another processor or C library. SystemCall: the signal or
    /// addresses are taken. ArenaFull, Name, RestartFailed.
    /// </exception>
    /// <exception cref="InvalidOperationException">It is open already, with another arena.</exception>
    public static NativeHost OpenNative(
        this SnapshotSession session, Arena arena, NativeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(arena);
        NativeHost host =
            session.Parts.GetOrAdd(() => new NativeHost(session, arena, options ?? new NativeOptions()));
        if (host.Arena == arena) return host;
        throw new InvalidOperationException(
            $"The native threads of this session are in arena '{host.Arena.Name}', and the program opens " +
            $"them in '{arena.Name}'.");
    }
}
