using System.Collections.Concurrent;

namespace Snapshot.Coordination;

/// <summary>A generation that became durable, and the handlers to tell.</summary>
internal readonly record struct CommitNotice(long Generation, HandlerEntry[] Handlers);

/// <summary>Notices for one participant, until its next safepoint. Thread-safe.</summary>
internal sealed class CommitMailbox
{
    private readonly ConcurrentQueue<CommitNotice> _notices = new();

    internal void Post(CommitNotice notice) => _notices.Enqueue(notice);

    internal bool TryTake(out CommitNotice notice) => _notices.TryDequeue(out notice);
}
