using System.ComponentModel;
using System.Runtime.CompilerServices;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary><see cref="FiberTask"/> with a result.</summary>
/// <typeparam name="T">The result; unmanaged, since the frame keeps it until the caller takes it.</typeparam>
[AsyncMethodBuilder(typeof(FiberTaskBuilder<>))]
public readonly unsafe struct FiberTask<T>
    where T : unmanaged
{
    private readonly FiberFrame* _frame;
    private readonly T _result;

    internal FiberTask(FiberFrame* frame, T result)
    {
        _frame = frame;
        _result = result;
    }

    /// <summary>A call that has returned, for methods that are not <c>async</c> themselves.</summary>
    /// <param name="result">What it returned.</param>
    internal FiberTask(T result)
        : this(null, result)
    {
    }

    /// <summary>For the compiler.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public Awaiter GetAwaiter() => new(_frame, _result);

    /// <summary>For the compiler.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public readonly struct Awaiter : IFiberAwaiter
    {
        private readonly FiberFrame* _frame;
        private readonly T _result;

        internal Awaiter(FiberFrame* frame, T result)
        {
            _frame = frame;
            _result = result;
        }

        /// <summary>For the compiler.</summary>
        public bool IsCompleted => _frame == null || _frame->Status > FrameStatus.Suspended;

        /// <summary>For the compiler.</summary>
        public T GetResult()
        {
            if (_frame == null) return _result;
            T result = Unsafe.ReadUnaligned<T>(FiberFrame.ResultOf(_frame));
            FiberScheduler.OfThread.Finish(_frame);
            return result;
        }

        void IFiberAwaiter.Suspend(FiberFrame* frame) =>
            FiberScheduler.OfThread.SuspendForChild(frame, _frame);
    }
}
