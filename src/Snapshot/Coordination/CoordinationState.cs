using Snapshot.Base;

namespace Snapshot.Coordination;

/// <summary>What an image keeps of the participants and handlers, and what a restart needs of them.</summary>
/// <param name="Generation">The generation it belongs to.</param>
/// <param name="Owners">Every id ever given; locks in arenas may hold any of them.</param>
/// <param name="Participants">The participants captured, and those with handlers of an earlier image that did
/// not come back yet.</param>
/// <param name="Handlers">The async handlers, in order of registration, and those of an earlier image that
/// did not come back yet.</param>
internal sealed record CoordinationState(
    long Generation,
    IReadOnlyList<LockOwnerDescription> Owners,
    IReadOnlyList<ParticipantDescription> Participants,
    IReadOnlyList<HandlerDescription> Handlers);
