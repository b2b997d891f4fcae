namespace Snapshot.Tool.Stacks;

/// <summary>
/// The private fields of Snapshot.dll that are read out of another process, by name; all of them, in one
/// place. A test compares them with the library, so that a renamed field fails there and not in front of a
/// user.
/// </summary>
internal static class LibraryFields
{
    internal const string Assembly = "Snapshot.dll";

    internal static class Participant
    {
        internal const string Type = "Snapshot.Participant";
        internal const string Name = "<Name>k__BackingField";
        internal const string Id = "<Id>k__BackingField";
        internal const string Part = "<Part>k__BackingField";
        internal const string Rendezvous = "_rendezvous";
        internal const string Thread = "_thread";
        internal const string ThreadId = "_threadId";
        internal const string Status = "_status";
        internal const string Activity = "_activity";
        internal const string BlockedOn = "_blockedOn";
        internal const string CriticalDepth = "_criticalDepth";
        internal const string IsGone = "_isGone";
    }

    internal static class Coordinator
    {
        internal const string Type = "Snapshot.Coordination.Coordinator";
        internal const string Rendezvous = "_rendezvous";
        internal const string Async = "_async";
        internal const string IsDisposed = "_isDisposed";
    }

    internal static class Rendezvous
    {
        internal const string Type = "Snapshot.Coordination.Rendezvous";
        internal const string Barrier = "<Barrier>k__BackingField";
    }

    internal static class AsyncHandlers
    {
        internal const string Type = "Snapshot.Coordination.AsyncHandlers";
        internal const string Part = "<Part>k__BackingField";
    }

    internal static class PhaseBarrier
    {
        internal const string Type = "Snapshot.Coordination.PhaseBarrier";
        internal const string Word = "_word";
    }

    internal static class HandlerPart
    {
        internal const string Type = "Snapshot.Coordination.HandlerPart";
        internal const string Entry = "_entry";
        internal const string Kind = "_kind";
    }

    internal static class HandlerEntry
    {
        internal const string Type = "Snapshot.Coordination.HandlerEntry";
        internal const string Name = "<Name>k__BackingField";
    }

    /// <summary>A field of the runtime's own Thread class.</summary>
    internal static class Thread
    {
        internal const string Type = "System.Threading.Thread";
        internal const string Name = "_name";
    }
}
