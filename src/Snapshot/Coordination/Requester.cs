using System.Diagnostics;

namespace Snapshot.Coordination;

/// <summary>
/// Who asked for a checkpoint, as far as it can keep it from happening: a participant that blocks until the
/// checkpoint has ended, without standing at a safepoint, waits for what waits for it.
/// </summary>
/// <remarks>
/// A direct wait for a task of the ticket is noticed by that task, at once and for certain; it sets
/// <see cref="Refusal"/>. A wait for another task that awaits the ticket looks like any other wait, so it is
/// told by <see cref="Watch"/>, after a while.
/// </remarks>
/// <param name="participant">The participant of the thread that asked, or null.</param>
internal sealed class Requester(Participant? participant)
{
    /// <summary>
    /// How long the thread that asked must be blocked without a break before the checkpoint is given up. Long
    /// enough for a lock, a transfer or a sleep of a second on the way to the next safepoint, short beside a
    /// usual deadline.
    /// </summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How often it must have been found blocked in that time, so that a coordinator that hardly got to run
    /// itself does not take two moments for two seconds.
    /// </summary>
    internal const int LooksMin = 100;

    private SnapshotException? _refusal;

    /// <summary>
    /// Why the checkpoint is given up: a thread that it waits for was about to wait for it. Any thread.
    /// </summary>
    internal SnapshotException? Refusal => Volatile.Read(ref _refusal);

    /// <summary>The first refusal counts.</summary>
    /// <returns>Whether this was the first.</returns>
    internal bool TryRefuse(SnapshotException refusal) =>
        Interlocked.CompareExchange(ref _refusal, refusal, null) is null;

    internal static SnapshotException SelfDeadlock(string why) => new(
        SnapshotErrorCode.SelfDeadlock,
        $"A thread would wait for a checkpoint that waits for that thread: {why}. In a participant wait " +
        "with RequestCheckpoint().WaitCommittedInThread(), which takes part; in a fiber with " +
        "'await ticket.WaitCommittedInFiber()'; or call Poll() until the task has ended. Never wait for a " +
        "checkpoint in a handler, a critical section or a progress callback.");

    /// <summary>Looks at the one who asked while one phase is waited for.</summary>
    internal Watch Begin(Rendezvous rendezvous, Phase phase) =>
        new(participant?.Rendezvous == rendezvous ? participant : null, phase);

    /// <summary>
    /// Whether the participant that asked has stopped on its way to the safepoint it is awaited at.
    /// </summary>
    internal struct Watch(Participant? participant, Phase phase)
    {
        private long _since;
        private int _looks;

        /// <summary>Looks once more. Nobody but the coordinator's thread.</summary>
        internal bool IsStuck()
        {
            if (participant is null || !IsAwaited() || !participant.IsThreadBlocked)
            {
                _looks = 0;
                return false;
            }

            if (_looks++ == 0) _since = Stopwatch.GetTimestamp();
            return _looks >= LooksMin && Stopwatch.GetElapsedTime(_since) >= Patience;
        }

        internal readonly SnapshotException Describe(Phase _) => SelfDeadlock(
            $"{participant!.Describe()}, asked for it and has been blocked for {Patience.TotalSeconds:0} s " +
            "without reaching a safepoint");

        /// <summary>
        /// Who computes, or is inside a handler, is slow at most; who waits at a safepoint takes part.
        /// </summary>
        private readonly bool IsAwaited() =>
            participant is { Status: ParticipantStatus.Running, Part.IsRunning: false } &&
            (phase == Phase.Sync || (phase == Phase.Pending && participant.IsInCriticalSection));
    }
}
