namespace Snapshot.Tests.FiberCheck;

/// <summary>Types with the names and the rules of the library's, for sources to be compiled against.</summary>
internal static class FiberStub
{
    internal const string Text = """
        using System;
        using System.Runtime.CompilerServices;

        namespace Snapshot;

        [AsyncMethodBuilder(typeof(FiberTaskBuilder))]
        public struct FiberTask { public FiberTaskAwaiter GetAwaiter() => default; }

        [AsyncMethodBuilder(typeof(FiberTaskBuilder<>))]
        public struct FiberTask<T> where T : unmanaged { public FiberTaskAwaiter<T> GetAwaiter() => default; }

        public interface IFiberAwaiter : ICriticalNotifyCompletion;

        public struct FiberTaskAwaiter : IFiberAwaiter
        {
            public bool IsCompleted => true;
            public void GetResult() { }
            public void OnCompleted(Action continuation) { }
            public void UnsafeOnCompleted(Action continuation) { }
        }

        public struct FiberTaskAwaiter<T> : IFiberAwaiter where T : unmanaged
        {
            public bool IsCompleted => true;
            public T GetResult() => default;
            public void OnCompleted(Action continuation) { }
            public void UnsafeOnCompleted(Action continuation) { }
        }

        public unsafe struct FiberTaskBuilder
        {
            public void* Frame;
            public static FiberTaskBuilder Create() => default;
            public FiberTask Task => default;
            public void Start<TS>(ref TS machine) where TS : IAsyncStateMachine => machine.MoveNext();
            public void SetStateMachine(IAsyncStateMachine machine) { }
            public void SetResult() { }
            public void SetException(Exception error) { }
            public void AwaitOnCompleted<TA, TS>(ref TA awaiter, ref TS machine)
                where TA : unmanaged, IFiberAwaiter where TS : IAsyncStateMachine { }
            public void AwaitUnsafeOnCompleted<TA, TS>(ref TA awaiter, ref TS machine)
                where TA : unmanaged, IFiberAwaiter where TS : IAsyncStateMachine { }
        }

        public unsafe struct FiberTaskBuilder<T> where T : unmanaged
        {
            public void* Frame;
            public T Result;
            public static FiberTaskBuilder<T> Create() => default;
            public FiberTask<T> Task => default;
            public void Start<TS>(ref TS machine) where TS : IAsyncStateMachine => machine.MoveNext();
            public void SetStateMachine(IAsyncStateMachine machine) { }
            public void SetResult(T result) { }
            public void SetException(Exception error) { }
            public void AwaitOnCompleted<TA, TS>(ref TA awaiter, ref TS machine)
                where TA : unmanaged, IFiberAwaiter where TS : IAsyncStateMachine { }
            public void AwaitUnsafeOnCompleted<TA, TS>(ref TA awaiter, ref TS machine)
                where TA : unmanaged, IFiberAwaiter where TS : IAsyncStateMachine { }
        }

        public static class Fiber { public static FiberTask Safepoint() => default; }

        public unsafe struct ArenaPointer<T> where T : unmanaged
        {
            private T* _pointer;
            public ref T Value => ref *_pointer;
        }
        """;
}
