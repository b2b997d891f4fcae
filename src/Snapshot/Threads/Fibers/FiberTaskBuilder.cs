using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>
/// For the compiler: makes fiber methods of <c>async</c> methods that return <see cref="FiberTask"/>.
/// </summary>
/// <remarks>
/// A call begins on the caller's stack. The first await that must wait moves its state machine into a frame
/// in the arena (<see cref="AwaitUnsafeOnCompleted"/>); from then on it runs in place there.
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe struct FiberTaskBuilder
{
    private FiberFrame* _frame;

    /// <summary>For the compiler.</summary>
    public readonly FiberTask Task => new(_frame);

    /// <summary>For the compiler.</summary>
    public static FiberTaskBuilder Create() => default;

    /// <summary>For the compiler: begins the call.</summary>
    /// <exception cref="InvalidOperationException">
    /// The method keeps a managed reference across an await; the message names it.
    /// </exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Start<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>(
        ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        if (FrameDiagnosis.IsRefused<TStateMachine>()) FrameDiagnosis.Throw<TStateMachine>();
        if (!FiberStarter.IsStarting) stateMachine.MoveNext();
        else FiberScheduler.OfThread.Starter.Begin(ref _frame, ref stateMachine, resultBytes: 0);
    }

    /// <summary>For the compiler: the call waits.</summary>
    public void AwaitUnsafeOnCompleted<
        TAwaiter, [DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>(
        ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : unmanaged, IFiberAwaiter
        where TStateMachine : IAsyncStateMachine
    {
        FiberFrame* frame = _frame;
        if (frame == null)
            frame = FiberScheduler.OfThread.Promote(ref _frame, ref stateMachine, resultBytes: 0);
        awaiter.Suspend(frame);
    }

    /// <summary>
    /// For the compiler, which uses <see cref="AwaitUnsafeOnCompleted"/> with all awaiters there are.
    /// </summary>
    public void AwaitOnCompleted<TAwaiter, [DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>(
        ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : unmanaged, IFiberAwaiter
        where TStateMachine : IAsyncStateMachine => AwaitUnsafeOnCompleted(ref awaiter, ref stateMachine);

    /// <summary>For the compiler: the call returns.</summary>
    public readonly void SetResult()
    {
        if (_frame != null) _frame->Status = FrameStatus.Done;
    }

    /// <summary>For the compiler: the call throws.</summary>
    public readonly void SetException(Exception exception) => FiberScheduler.Throw(_frame, exception);

    /// <summary>For the compiler; a state machine is never boxed.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "The pattern of the compiler.")]
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }
}
