namespace Snapshot.Checkpoint;

/// <summary>The capture mode of one region in one checkpoint and the reason for it.</summary>
internal readonly record struct CaptureChoice(CaptureMode Mode, string Reason);
