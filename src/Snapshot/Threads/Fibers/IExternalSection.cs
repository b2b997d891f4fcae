namespace Snapshot.Fibers;

/// <summary>Ordinary code that a fiber awaits: tasks, files, sockets, blocking calls.</summary>
/// <typeparam name="TResult">What it gives the fiber.</typeparam>
/// <remarks>
/// Implement it by an unmanaged struct whose fields are what the code needs: they are kept with the fiber, so
/// that a new process can run the section again. <see cref="RunAsync"/> itself may use anything; nothing of
/// it survives. It must not touch arenas or protected buffers after its first await, since it is not stopped
/// for a capture.
/// </remarks>
public interface IExternalSection<TResult>
    where TResult : unmanaged
{
    /// <summary>
    /// Does the work. Called on the worker's thread; what follows its first await runs on the thread
    /// pool.
    /// </summary>
    /// <param name="cancellation">Cancelled when the worker ends before the work does.</param>
    /// <returns>The result; what it throws, the fiber's await throws.</returns>
    public Task<TResult> RunAsync(CancellationToken cancellation);
}

/// <summary>What a checkpoint does while a fiber is in an external section.</summary>
public enum ExternalMode
{
    /// <summary>
    /// It is taken; after a restart the section runs again from its beginning. For work that may be done
    /// twice.
    /// </summary>
    Repeat = 0,

    /// <summary>
    /// It waits until the section has ended. For work that must not be done twice, and is short.
    /// </summary>
    HoldCheckpoints = 1,
}
