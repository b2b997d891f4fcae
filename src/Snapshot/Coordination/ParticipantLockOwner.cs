using Snapshot.Base;

namespace Snapshot.Coordination;

/// <summary>A participant as arena locks see it: waiting for a lock is a safepoint.</summary>
internal sealed unsafe class ParticipantLockOwner(Participant participant) : LockOwner
{
    internal override int OwnerId => participant.Id;

    internal override string OwnerName => $"participant '{participant.Name}'";

    internal override bool Wait(uint* word, uint expected, long timeoutNanoseconds) =>
        participant.Wait(word, expected, timeoutNanoseconds);
}
