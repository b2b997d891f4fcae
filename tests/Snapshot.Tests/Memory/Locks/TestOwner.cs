using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Interop;
using Xunit;

namespace Snapshot.Tests.Memory.Locks;

/// <summary>
/// An owner that waits on a plain futex, tells when it is about to wait, and can be killed while it does.
/// </summary>
internal sealed unsafe class TestOwner : LockOwner, IDisposable
{
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _waiting = new(0);
    private readonly uint* _killed = (uint*)NativeMemory.AllocZeroed(sizeof(uint));

    internal TestOwner(int id) => OwnerId = id;

    internal override int OwnerId { get; }

    internal override string OwnerName => $"owner-{OwnerId}";

    internal override bool Wait(uint* word, uint expected, long timeoutNanoseconds)
    {
        _waiting.Release();
        bool isInTime = Futex.WaitEither(word, expected, _killed, 0, timeoutNanoseconds);
        if (*_killed != 0) throw new OwnerKilledException();
        return isInTime;
    }

    /// <summary>Runs the action on a thread of its own whose owner this is.</summary>
    internal Task Run(Action action) => Task.Factory.StartNew(
        () =>
        {
            Current = this;
            try
            {
                action();
            }
            catch (OwnerKilledException)
            {
                // What SIGKILL leaves behind: nothing.
            }
            finally
            {
                Current = null;
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    /// <summary>Runs the action to its end.</summary>
    internal void Do(Action action) => Run(action).WaitAsync(s_hang).GetAwaiter().GetResult();

    /// <summary>Returns once the owner has begun a wait.</summary>
    internal void AwaitWaiting() => Assert.True(_waiting.Wait(s_hang), $"{OwnerName} never waited");

    /// <summary>Ends the thread inside its wait, or at its next one.</summary>
    internal void Kill()
    {
        Volatile.Write(ref *_killed, 1);
        Futex.WakeAll(_killed);
    }

    public void Dispose()
    {
        _waiting.Dispose();
        NativeMemory.Free(_killed);
    }

    internal static void Join(params Task[] tasks) =>
        Task.WhenAll(tasks).WaitAsync(s_hang).GetAwaiter().GetResult();

    private sealed class OwnerKilledException : Exception;
}
