namespace Snapshot.Base;

/// <summary>Whose id a lock owner id is. The values are part of the format, do not renumber.</summary>
internal enum LockOwnerKind
{
    Participant = 1,
    Handler = 2,
}

/// <summary>
/// An id by which locks in arenas name their owner; the same for the same name and kind for ever.
/// </summary>
internal sealed record LockOwnerDescription(int Id, string Name, LockOwnerKind Kind);
