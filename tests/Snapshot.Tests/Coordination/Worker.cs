using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Interop;
using Xunit;

namespace Snapshot.Tests.Coordination;

/// <summary>
/// A thread that is a participant: it executes what it is given, and in between waits at a safepoint, so that
/// it is on time.
/// </summary>
internal sealed unsafe class Worker : IDisposable
{
    private readonly ConcurrentQueue<Action> _work = new();
    private readonly uint* _wake = (uint*)NativeMemory.AllocZeroed(sizeof(uint));
    private readonly Thread _thread;
    private readonly TaskCompletionSource<Participant> _attached = new(
        TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isStopping;
    private bool _isFailed;

    private Worker(Coordinator coordinator, string name, ParticipantOptions? options)
    {
        _thread = new Thread(() => Run(coordinator, name, options))
        {
            IsBackground = true,
            Name =
            $"worker {name}"
        };
        _thread.Start();
    }

    internal Participant Participant => _attached.Task.Join();

    internal static Worker Attach(Coordinator coordinator, string name, ParticipantOptions? options = null)
    {
        Worker worker = new(coordinator, name, options);
        _ = worker.Participant;
        return worker;
    }

    /// <summary>Starts one whose Attach may not return yet.</summary>
    internal static Worker BeginAttach(
        Coordinator coordinator, string name, ParticipantOptions? options = null) =>
        new(coordinator, name, options);

    internal Task<Participant> Attached => _attached.Task;

    /// <summary>Executes on the worker's thread and waits for the end of it.</summary>
    internal void Do(Action<Participant> action) => Start(action).Join();

    /// <summary>Executes on the worker's thread.</summary>
    internal Task Start(Action<Participant> action)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                action(Participant);
                done.SetResult();
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    /// <summary>Ends the thread without leaving the session, after a last act.</summary>
    internal void Die(Action<Participant> last)
    {
        Post(() =>
        {
            last(Participant);
            _isStopping = true;
        });
        _thread.Join();
    }

    public void Dispose()
    {
        if (_thread.IsAlive)
        {
            Post(() =>
            {
                _isStopping = true;
                if (_attached.Task.IsCompletedSuccessfully) Participant.Dispose();
            });
            if (!_thread.Join(CoordinatorExtensions.Long))
                return; // The test has failed already, with a checkpoint open.
        }

        NativeMemory.Free(_wake);
    }

    private void Post(Action action)
    {
        _work.Enqueue(action);
        Interlocked.Increment(ref *_wake);
        Futex.WakeAll(_wake);
    }

    private void WaitAtSafepoint(LockOwner owner, uint seen)
    {
        try
        {
            owner.Wait(_wake, seen, -1);
        }
        catch (SnapshotException error) when (error.Code == SnapshotErrorCode.RestartFailed)
        {
            _isFailed = true;
        }
    }

    private void Run(Coordinator coordinator, string name, ParticipantOptions? options)
    {
        try
        {
            _attached.SetResult(coordinator.Attach(name, options));
        }
        catch (Exception error)
        {
            _attached.SetException(error);
            return;
        }

        while (!_isStopping)
        {
            uint seen = Volatile.Read(ref *_wake);
            if (_work.TryDequeue(out Action? work)) work();
            else if (LockOwner.Current is not { } owner || _isFailed) Futex.Wait(_wake, seen, -1);
            else WaitAtSafepoint(owner, seen);
        }
    }
}

/// <summary>Short forms of what tests do with a coordinator.</summary>
internal static class CoordinatorExtensions
{
    internal static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Waits for what another thread does; a test that hangs fails.</summary>
    internal static void Join(this Task task)
    {
        Assert.True(
            Task.WhenAny(task, Task.Delay(Long)).GetAwaiter().GetResult() == task,
            "the other thread did not come to an end");
        task.GetAwaiter().GetResult();
    }

    /// <inheritdoc cref="Join(Task)"/>
    internal static T Join<T>(this Task<T> task)
    {
        ((Task)task).Join();
        return task.GetAwaiter().GetResult();
    }

    internal static Attempt Prepare(this Coordinator coordinator, long generation = 1)
    {
        Attempt attempt = coordinator.Begin(generation, Long);
        attempt.PrepareAsync(() => { });
        return attempt;
    }

    internal static Attempt Capture(this Coordinator coordinator, long generation = 1)
    {
        Attempt attempt = coordinator.Prepare(generation);
        attempt.Stop();
        return attempt;
    }

    internal static void Finish(this Attempt attempt)
    {
        attempt.Release();
        attempt.BeginCommit();
        attempt.Complete();
        attempt.AwaitResumed(Long);
        Assert.True(attempt.IsResumed);
    }

    internal static Attempt Checkpoint(this Coordinator coordinator, long generation = 1)
    {
        Attempt attempt = coordinator.Capture(generation);
        attempt.Finish();
        return attempt;
    }
}

/// <summary>Records what handlers are called with.</summary>
internal sealed class CallLog
{
    private readonly ConcurrentQueue<string> _calls = new();

    internal string[] Calls => [.. _calls];

    internal void Add(string call) => _calls.Enqueue(call);

    internal ICheckpointHandler Handler(
        string name, Action<PrepareContext>? prepare = null, Action<CheckpointOutcome>? resume = null) =>
        CheckpointHandler.Create(
            context =>
            {
                Add($"{name} prepare");
                prepare?.Invoke(context);
            },
            outcome =>
            {
                string code = outcome.AbortCode is { } number ? $" {number}" : "";
                Add($"{name} {outcome.Kind}{code}");
                resume?.Invoke(outcome);
            },
            generation => Add($"{name} committed {generation}"));
}
