using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Snapshot.Threads.Fibers;

namespace Snapshot.Fibers;

/// <summary>For the compiler: <see cref="FiberTaskBuilder"/> for methods with a result.</summary>
/// <typeparam name="T">The result.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe struct FiberTaskBuilder<T>
    where T : unmanaged
{
    private FiberFrame* _frame;
    private T _result;

    /// <summary>For the compiler.</summary>
    public readonly FiberTask<T> Task => new(_frame, _result);

    /// <summary>For the compiler.</summary>
    [SuppressMessage("Design", "CA1000", Justification = "The pattern of the compiler.")]
    public static FiberTaskBuilder<T> Create() => default;

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
        else FiberScheduler.OfThread.Starter.Begin(ref _frame, ref stateMachine, sizeof(T));
    }

    /// <summary>For the compiler: the call waits.</summary>
    public void AwaitUnsafeOnCompleted<
        TAwaiter, [DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>(
        ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : unmanaged, IFiberAwaiter
        where TStateMachine : IAsyncStateMachine
    {
        FiberFrame* frame = _frame;
        if (frame == null) frame = FiberScheduler.OfThread.Promote(ref _frame, ref stateMachine, sizeof(T));
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
    public void SetResult(T result)
    {
        if (_frame == null)
        {
            _result = result;
            return;
        }

        Unsafe.WriteUnaligned(FiberFrame.ResultOf(_frame), result);
        _frame->Status = FrameStatus.Done;
    }

    /// <summary>For the compiler: the call throws.</summary>
    public readonly void SetException(Exception exception) => FiberScheduler.Throw(_frame, exception);

    /// <summary>For the compiler; a state machine is never boxed.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "The pattern of the compiler.")]
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }
}
