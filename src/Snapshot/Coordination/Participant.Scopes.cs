using Snapshot.Base;
using Snapshot.Coordination;
using Snapshot.Threads.Fibers;

namespace Snapshot;

// Critical sections and blocked regions.
public sealed unsafe partial class Participant
{
    private int _criticalDepth;
    private int _blockedDepth;

    /// <summary>
    /// Numbers of the sections and regions: the last that was given, and that of the innermost.
    /// </summary>
    private uint _lastScope;
    private uint _innermostScope;

    /// <summary>
    /// Holds checkpoints back until the scope is disposed. While one is pending it first waits and takes
    /// part. Sections nest. Does nothing inside a handler.
    /// </summary>
    /// <remarks>
    /// Entering (outermost) is a safepoint. Take arena locks that an async handler also takes inside the
    /// section, not before it: the entry waits for those handlers.
    /// </remarks>
    /// <returns>The scope.</returns>
    /// <exception cref="InvalidOperationException">
    /// Called inside a blocked region, in a fiber (which has <see cref="Fiber.CriticalSection"/>), or on
    /// another thread.
    /// </exception>
    public CriticalSection EnterCriticalSection()
    {
        ThrowIfUnusable();
        if (Part.IsRunning) return default;
        ThrowIfInFiber("await Fiber.CriticalSection()");
        if (_criticalDepth == 0)
        {
            AtSafepoint();
            while (!_barrier.TryEnterCritical(out long word)) AwaitOrTakePart(word);
        }

        _criticalDepth++;
        return new CriticalSection(this, EnterScope());
    }

    /// <summary>
    /// Enters a critical section if no checkpoint is pending; a nested entry always succeeds. Never waits for
    /// the section. If it is refused it is a safepoint, so a thread that tries again and again takes part.
    /// </summary>
    /// <param name="section">The scope; empty when the result is false.</param>
    /// <returns>False when a checkpoint is pending, or was when this was called.</returns>
    /// <exception cref="InvalidOperationException">
    /// Called inside a blocked region, in a fiber (which has <see cref="Fiber.CriticalSection"/>), or on
    /// another thread.
    /// </exception>
    public bool TryEnterCriticalSection(out CriticalSection section)
    {
        ThrowIfUnusable();
        section = default;
        if (Part.IsRunning) return true;
        ThrowIfInFiber("await Fiber.CriticalSection()");
        if (!TryEnterCritical())
        {
            AtSafepoint();
            return false;
        }

        section = new CriticalSection(this, EnterScope());
        return true;
    }

    /// <summary>
    /// Counts this thread as stopped until the scope is disposed: checkpoints do not wait for it while it
    /// waits for something. Inside, the thread must not touch arenas or protected buffers; arena locks and
    /// channels refuse it. Regions nest. Has no effect inside a handler or a critical section.
    /// </summary>
    /// <remarks>
    /// A checkpoint taken meanwhile takes the participant as it is: its sync handlers are not run.
    /// </remarks>
    /// <param name="what">What it waits for; shown in diagnostics.</param>
    /// <returns>The scope.</returns>
    /// <exception cref="InvalidOperationException">
    /// Called in a fiber (which has <see cref="Fiber.External{TSection, TResult}"/>), or on another thread.
    /// </exception>
    public BlockedRegion EnterBlockedRegion(string? what = null)
    {
        ThrowIfNotMine();
        if (Part.IsRunning) return default;
        ThrowIfInFiber("await Fiber.External(...)");
        if (_blockedDepth == 0 && _criticalDepth == 0)
        {
            AtSafepoint();
            _blockedOn = what;
            _status = ParticipantStatus.Blocked;
            _isCounted = false;
            _barrier.Stop(critical: false);
        }

        _blockedDepth++;
        _owner.IsBlocked = true;
        return new BlockedRegion(this, EnterScope());
    }

    /// <summary>
    /// Enters a section unless a checkpoint is pending, for code that keeps the count and the order of its
    /// sections itself. No safepoint.
    /// </summary>
    internal bool TryEnterCritical()
    {
        if (_criticalDepth == 0 && !_barrier.TryEnterCritical(out _)) return false;
        _criticalDepth++;
        return true;
    }

    /// <summary>Leaves a section that was entered so.</summary>
    /// <returns>Whether it was the outermost.</returns>
    internal bool LeaveCritical()
    {
        if (--_criticalDepth > 0) return false;
        _barrier.ExitCritical();
        return true;
    }

    internal void ExitCritical(NestedScope scope)
    {
        if (TryLeaveScope(scope) && LeaveCritical()) TakePending();
    }

    internal void ExitBlocked(NestedScope scope)
    {
        if (!TryLeaveScope(scope) || --_blockedDepth > 0) return;
        _owner.IsBlocked = false;
        if (_isCounted) return;
        long word;
        while (!_barrier.TryRejoin(out word)) _barrier.Sleep(word);
        _isCounted = true;
        _status = ParticipantStatus.Running;
        _blockedOn = null;
        TakePartIfRaised(word);
    }

    /// <summary>
    /// After the outermost critical section: a checkpoint that waits for it is taken before the application
    /// goes on. A brief stop is not that checkpoint, which it announces again before it ends.
    /// </summary>
    private void TakePending()
    {
        do
        {
            if (_barrier.IsAnnounced)
            {
                _status = ParticipantStatus.AtCriticalSection;
                _barrier.AwaitBeginning();
                _status = ParticipantStatus.Running;
            }
        }
        while (TakeOnePending() && LastAttempt!.IsBrief);
    }

    /// <returns>Whether there was one, and it was not given up before.</returns>
    private bool TakeOnePending()
    {
        while (true)
        {
            long word = _barrier.Read();
            if (PhaseWord.PhaseOf(word) is not (Phase.Pending or Phase.Async or Phase.Sync)) return false;
            if (AwaitOrTakePart(word)) return true;
        }
    }

    /// <summary>
    /// At a critical section while a checkpoint is pending: sleeps, or takes part when it is time to.
    /// </summary>
    private bool AwaitOrTakePart(long word)
    {
        if (PhaseWord.PhaseOf(word) == Phase.Sync) return TakePartIfRaised(word);
        _rendezvous.ThrowIfFailed();
        _status = ParticipantStatus.AtCriticalSection;
        _barrier.Sleep(word);
        _status = ParticipantStatus.Running;
        return false;
    }

    private NestedScope EnterScope() => NestedScope.Enter(ref _lastScope, ref _innermostScope);

    /// <returns>False when the participant has left the session, and everything with it.</returns>
    /// <exception cref="InvalidOperationException">It is not the innermost scope.</exception>
    private bool TryLeaveScope(NestedScope scope)
    {
        if (Volatile.Read(ref _isGone) != 0) return false;
        ThrowIfNotMine();
        if (scope.TryLeave(ref _innermostScope)) return true;
        throw new InvalidOperationException(
            $"Participant '{Name}' leaves a critical section or blocked region that is not the one it " +
            "entered last, or that it has left before, through a copy. Leave each once, the innermost " +
            "first.");
    }

    /// <summary>Between two awaits a fiber is never stopped: its frames are not complete there.</summary>
    private static void ThrowIfInFiber(string instead)
    {
        if (!IsInFiber) return;
        throw new InvalidOperationException(
            $"{LockOwner.Current!.OwnerName} called what is for participants that run no fibers: a " +
            $"checkpoint could capture the fiber between two of its awaits. Use {instead}.");
    }

    private static bool IsInFiber => LockOwner.Current is FiberScheduler { IsInFiber: true };
}
