using System.ComponentModel;
using System.Runtime.CompilerServices;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>
/// What an <c>async</c> method returns whose frame lives in an arena: a call of a fiber, which survives its
/// process.
/// </summary>
/// <remarks>
/// <para>Await it at once and once, where it was called: calls of a fiber nest like those of a thread. Work
/// beside the caller is another fiber: <see cref="Fiber.Start{TArgument}"/>.</para>
/// <para>What the method keeps across an await (parameters, locals, temporaries) must be unmanaged; the build
/// says where it is not. A call that does not suspend needs no frame and allocates nothing.</para>
/// </remarks>
[AsyncMethodBuilder(typeof(FiberTaskBuilder))]
public readonly unsafe struct FiberTask
{
    internal readonly FiberFrame* Frame;

    internal FiberTask(FiberFrame* frame) => Frame = frame;

    /// <summary>A call that has returned, for methods that are not <c>async</c> themselves.</summary>
    public static FiberTask Completed => default;

    /// <summary>For the compiler.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public Awaiter GetAwaiter() => new(Frame);

    /// <summary>For the compiler.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public readonly struct Awaiter : IFiberAwaiter
    {
        private readonly FiberFrame* _frame;

        internal Awaiter(FiberFrame* frame) => _frame = frame;

        /// <summary>For the compiler.</summary>
        public bool IsCompleted => _frame == null || _frame->Status > FrameStatus.Suspended;

        /// <summary>For the compiler.</summary>
        public void GetResult()
        {
            if (_frame != null) FiberScheduler.OfThread.Finish(_frame);
        }

        void IFiberAwaiter.Suspend(FiberFrame* frame) =>
            FiberScheduler.OfThread.SuspendForChild(frame, _frame);
    }
}
