namespace Snapshot.Coordination;

/// <summary>What an image keeps of the participants and handlers, and what a restart needs of them.</summary>
/// <param name="Generation">The generation it belongs to.</param>
/// <param name="Ids">Every id ever given; locks in arenas may hold any of them.</param>
/// <param name="Participants">The participants captured, and those with handlers of an earlier image that did
/// not come back yet.</param>
/// <param name="Handlers">Names of the async handlers, in order of registration, and those of an earlier
/// image that did not come back yet.</param>
internal sealed record CoordinationState(
    long Generation,
    IReadOnlyList<OwnerIdState> Ids,
    IReadOnlyList<ParticipantState> Participants,
    IReadOnlyList<string> Handlers);

/// <param name="Kind">Whose id it is. Part of the format, do not renumber.</param>
/// <param name="Name">The name, unique within the kind.</param>
/// <param name="Id">At least 1, unique among all.</param>
internal sealed record OwnerIdState(OwnerKind Kind, string Name, int Id);

/// <param name="Name">The participant.</param>
/// <param name="Stacks">What its stacks are.</param>
/// <param name="Handlers">Names of its sync handlers, in order of registration.</param>
internal sealed record ParticipantState(string Name, StackKind Stacks, IReadOnlyList<string> Handlers);

internal enum OwnerKind
{
    Participant = 1,
    Handler = 2,
}
