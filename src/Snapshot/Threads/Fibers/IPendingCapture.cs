namespace Snapshot.Threads.Fibers;

/// <summary>What a handler's fiber may do about the checkpoint it prepares for.</summary>
internal interface IPendingCapture
{
    public long Generation { get; }

    public void Abort(int code, string? reason);

    public void Omit();
}
