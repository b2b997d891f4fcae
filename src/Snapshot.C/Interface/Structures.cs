using System.Runtime.InteropServices;

namespace Snapshot.C.Interface;

// The structures of snapshot.h and snapshot_job.h, field by field; a test compares sizes and offsets with
// those of the compiler.

/// <summary>snapshot_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct COptions
{
    public nuint Size;
    public int Start;
    public uint Flags;
    public long Generation;
    public byte* Tag;
    public long Capacity;
    public long StagingLimit;
    public int Encoders;
    public int Keep;
    public double Timeout;
    public double Interval;
    public double TimeLimit;
    public double TimeMargin;
    public byte* Signals;
    public long WindowBytes;
    public long Window;
}

/// <summary>snapshot_request.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CRequest
{
    public nuint Size;
    public uint Flags;
    public double Timeout;
    public byte* Tag;
    public delegate* unmanaged<void*, int, long, long, void> Progress;
    public void* Argument;
}

/// <summary>snapshot_handler.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CHandler
{
    public nuint Size;
    public delegate* unmanaged<void*, long, int> Prepare;
    public delegate* unmanaged<void*, COutcome*, void> Resume;
    public delegate* unmanaged<void*, long, void> Committed;
}

/// <summary>snapshot_outcome.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct COutcome
{
    public int Kind;
    public int AbortCode;
    public long Generation;
}

/// <summary>snapshot_generation_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CGeneration
{
    public long Generation;
    public long Parent;
    public long Created;
    public long Bytes;
    public byte* Tag;
}

/// <summary>snapshot_job_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CJobOptions
{
    public nuint Size;
    public void* Session;
    public uint Flags;
    public int Keep;
    public long EverySteps;
    public double Interval;
    public double Mtbf;
    public double TimeLimit;
    public double TimeMargin;
    public byte* Signals;
    public byte* FailureDomain;
    public byte* SharedDirectory;
    public long SharedEvery;
    public long CopyRate;
    public delegate* unmanaged<void*, CJobCopy*, void> OnCopy;
    public void* Argument;
}

/// <summary>snapshot_job_copy.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CJobCopy
{
    public int Level;
    public int IsComplete;
    public long Generation;
    public long BytesDone;
    public long BytesTotal;
    public byte* Error;
}

/// <summary>snapshot_start.</summary>
internal enum Start
{
    Continue,
    StartOver,
    Restart,
}

/// <summary>snapshot_option_flags.</summary>
[Flags]
internal enum OpenFlags : uint
{
    Lazy = 1,
    AllowOlder = 2,
    UnmapOnClose = 4,
    AllowUnlocked = 8,
    SystemCallsMustWork = 16,
}

/// <summary>snapshot_job_flags.</summary>
[Flags]
internal enum JobFlags : uint
{
    IgnoreMessages = 1,
    Partner = 2,
}

/// <summary>snapshot_request_flags.</summary>
[Flags]
internal enum RequestFlags : uint
{
    SkipIfBusy = 1,
    ReturnAtOnce = 2,
}

/// <summary>snapshot_protect_flags.</summary>
[Flags]
internal enum ProtectFlags : uint
{
    FillLater = 1,
    AlwaysHash = 2,
}

/// <summary>snapshot_due_bits.</summary>
[Flags]
internal enum DueBits
{
    None = 0,
    Interval = 1,
    Signal = 2,
    Limit = 4,
}
