namespace Snapshot.Tool.Supervision;

/// <summary>Looks into the store of a supervised program, without a lock and for reading only.</summary>
/// <param name="directory">The store; the program may make it later.</param>
internal sealed class StoreWatch(string directory)
{
    private Guid? _newestImage;

    /// <summary>The newest generation when the store was read last; null before one was seen.</summary>
    internal long? Newest { get; private set; }

    /// <summary>Reads the manifest.</summary>
    /// <returns>
    /// Whether the newest generation is another than before; not when there is no manifest to read.
    /// </returns>
    internal bool HasNewGeneration()
    {
        Guid? before = _newestImage;
        try
        {
            using SnapshotStore store = SnapshotStore.OpenReadOnly(directory);
            if (store.Newest is { } newest) (Newest, _newestImage) = (newest.Generation, newest.ImageId);
        }
        catch (SnapshotException)
        {
            // Nothing that is new can be seen. If the program is started again, Examine tells what is wrong.
        }

        return _newestImage != before;
    }

    /// <summary>
    /// Verifies the newest generation, and when it is damaged older ones until one is intact.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal StoreExamination Examine(CancellationToken cancellation)
    {
        try
        {
            using SnapshotStore store = SnapshotStore.OpenReadOnly(directory);
            return Examine(store, cancellation);
        }
        catch (SnapshotException error)
        {
            // Before the program has made its store there is no generation, and nothing wrong.
            return new StoreExamination(
                null, null, [], error.Code == SnapshotErrorCode.NotFound ? null : error.Message);
        }
    }

    private static StoreExamination Examine(SnapshotStore store, CancellationToken cancellation)
    {
        IReadOnlyList<VerifyProblem> problems = [];
        foreach (GenerationInfo info in store.Generations.Reverse())
        {
            VerifyReport report =
                store.VerifyAsync(info.Generation, cancellation: cancellation).GetAwaiter().GetResult();
            if (info.Generation == store.Newest!.Generation) problems = report.Problems;
            if (report.IsIntact)
                return new StoreExamination(store.Newest!.Generation, info.Generation, problems, null);
        }

        return new StoreExamination(store.Newest?.Generation, null, problems, null);
    }
}
