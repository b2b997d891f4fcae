using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Snapshot.Threads.Fibers;

/// <summary>
/// Where one call of a fiber method stands: a header, room for its result, its state machine.
/// </summary>
/// <remarks>
/// <code>
///   offset  0  Parent          the frame that awaits this one; null for the outermost
///           8  Type            index into the arena's table of frame types
///          12  Status          <see cref="FrameStatus"/>
///          13  SizeClass       of <see cref="FramePool"/>
///          14  PayloadWords    where the state machine begins, in units of 8 bytes
///          16  result          only of a FiberTask with a result; rounded up to 8 bytes
///              state machine   the compiler's struct; runs in place
/// </code>
/// Nothing in it belongs to a process: no code address, no thread, no reference.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = HeaderBytes)]
internal unsafe struct FiberFrame
{
    internal const int HeaderBytes = 16;

    /// <summary>The largest result: what <see cref="PayloadWords"/> can say.</summary>
    internal const int ResultBytesMax = ushort.MaxValue * 8 - HeaderBytes;

    [FieldOffset(0)] internal FiberFrame* Parent;
    [FieldOffset(8)] internal int Type;
    [FieldOffset(12)] internal FrameStatus Status;
    [FieldOffset(13)] internal byte SizeClass;
    [FieldOffset(14)] internal ushort PayloadWords;

    /// <summary>
    /// The room for a result of that many bytes, and where the state machine begins behind it.
    /// </summary>
    internal static int PayloadOffsetFor(int resultBytes) => HeaderBytes + ((resultBytes + 7) & ~7);

    /// <summary>The result slot.</summary>
    internal static byte* ResultOf(FiberFrame* frame) => (byte*)frame + HeaderBytes;

    /// <summary>The state machine.</summary>
    internal static byte* PayloadOf(FiberFrame* frame) => (byte*)frame + frame->PayloadWords * 8;
}

/// <summary>What became of a frame. Kept in images, do not renumber.</summary>
internal enum FrameStatus : byte
{
    /// <summary>In the pool.</summary>
    Free = 0,

    /// <summary>At an await, or not begun.</summary>
    Suspended = 1,

    /// <summary>Returned; the result is in its slot until the parent takes it.</summary>
    Done = 2,

    /// <summary>
    /// Threw; the exception is the scheduler's until the parent takes it, before anything else runs.
    /// </summary>
    Faulted = 3,
}

/// <summary>
/// Runs the state machine of one type in place; its address is what a frame type stands for.
/// </summary>
internal static unsafe class FrameCode<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>
    where TStateMachine : IAsyncStateMachine
{
    /// <summary>Index by the number of a type table; 0 where the type is not in that table yet.</summary>
    internal static int[] Indices = [];

    internal static nint Address => (nint)(delegate*<FiberFrame*, void>)&Run;

    private static void Run(FiberFrame* frame) =>
        Unsafe.AsRef<TStateMachine>(FiberFrame.PayloadOf(frame)).MoveNext();
}
