namespace Snapshot.C;

/// <summary>Tells a function of C how far a checkpoint is.</summary>
internal sealed unsafe class ProgressCallback(
    delegate* unmanaged<void*, int, long, long, void> callback, void* argument) : IProgress<SnapshotProgress>
{
    private readonly delegate* unmanaged<void*, int, long, long, void> _callback = callback;
    private readonly void* _argument = argument;

    public void Report(SnapshotProgress value) =>
        _callback(_argument, (int)value.Stage, value.PagesDone, value.PagesTotal);
}
