namespace Snapshot.Checkpoint;

/// <summary>The capture mode of one checkpoint and the reason for it.</summary>
internal readonly record struct CaptureChoice(CaptureMode Mode, string Reason)
{
    internal static CaptureChoice For(CaptureMode wanted, bool preCopied) => (wanted, preCopied) switch
    {
        (CaptureMode.Stage, _) => new(CaptureMode.Stage, "chosen by option"),
        (CaptureMode.PreCopy, true) => new(CaptureMode.PreCopy, "chosen by option"),
        (_, true) => new(CaptureMode.PreCopy, "tracking sees every write"),
        _ => new(CaptureMode.Stage, "tracking by content does not see a write before the application stops"),
    };
}
