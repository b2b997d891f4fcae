using System.Runtime.InteropServices;
using System.Text;
using Snapshot.Threads;

namespace Snapshot.NativeThreads;

/// <summary>What a native thread is doing: SNT_STATE_* of native_thread.h.</summary>
internal enum NativeState : uint
{
    None = 0,
    Starting = 1,
    Running = 2,
    Ended = NativeRecordHead.Ended,
}

/// <summary>What a native thread asks of the host: SNT_ASKS_* of native_thread.h.</summary>
internal enum NativeQuestionKind : uint
{
    Allocate = 1,
    Free = 2,
    Root = 3,
    RootBytes = 4,
    Leave = 5,
    Wake = 6,
}

/// <summary>A question, as <c>struct snt_question</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeQuestion
{
    internal const uint Asked = 1;

    internal uint State;
    internal NativeQuestionKind Kind;
    internal ulong First;
    internal ulong Second;
    internal ulong Answer;
}

/// <summary>
/// The part of <c>struct snt_record</c> that is written here; the rest follows it in memory.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeRecord
{
    /// <summary>Bytes of a name, with the zero byte behind it.</summary>
    internal const int NameSize = NativeRecordHead.NameSize;

    /// <summary>Who waits for its end sleeps on this.</summary>
    internal uint State;

    internal uint StateUpper;
    internal ulong Function;
    internal ulong Argument;
    internal ulong Result;
    internal ulong StackLow;
    internal ulong StackHigh;
    internal ulong SignalStack;
    internal ulong Frame;
    internal ulong FsBase;
    internal ulong Canary;
    internal ulong PointerGuard;
    internal int SavedErrno;
    internal uint Seat;
    internal uint Owner;
    internal uint Reserved;
    internal NativeQuestion Question;
    internal fixed byte Name[NameSize];

    internal static NativeRecord* Of(NativeEntry* entry) => (NativeRecord*)entry->Record;

    internal static bool IsNamePossible(string name) => Encoding.UTF8.GetByteCount(name) < NameSize;

    internal static string NameOf(NativeRecord* record) =>
        Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(record->Name));

    internal static NativeState StateOf(NativeRecord* record) =>
        (NativeState)Volatile.Read(ref record->State);
}
