namespace Snapshot.Tests.Analyzers;

/// <summary>The public face of fibers with nothing behind it: enough for sources that use them to compile.</summary>
internal static class FiberStub
{
    internal const string Source = """
        using System;
        using System.Runtime.CompilerServices;

        namespace Snapshot;

        public interface IFiberAwaiter : ICriticalNotifyCompletion { bool IsCompleted { get; } }

        [AsyncMethodBuilder(typeof(FiberTaskBuilder))]
        public readonly struct FiberTask
        {
            public Awaiter GetAwaiter() => default;
            public struct Awaiter : IFiberAwaiter
            {
                public bool IsCompleted => false;
                public void GetResult() { }
                public void OnCompleted(Action continuation) { }
                public void UnsafeOnCompleted(Action continuation) { }
            }
        }

        [AsyncMethodBuilder(typeof(FiberTaskBuilder<>))]
        public readonly struct FiberTask<T> where T : unmanaged
        {
            public Awaiter GetAwaiter() => default;
            public struct Awaiter : IFiberAwaiter
            {
                public bool IsCompleted => false;
                public T GetResult() => default;
                public void OnCompleted(Action continuation) { }
                public void UnsafeOnCompleted(Action continuation) { }
            }
        }

        public struct FiberTaskBuilder
        {
            private nint _frame;
            public static FiberTaskBuilder Create() => default;
            public FiberTask Task => default;
            public void Start<TStateMachine>(ref TStateMachine machine)
                where TStateMachine : IAsyncStateMachine => machine.MoveNext();
            public void SetStateMachine(IAsyncStateMachine machine) { }
            public void SetResult() { }
            public void SetException(Exception exception) { }
            public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine machine)
                where TAwaiter : unmanaged, IFiberAwaiter where TStateMachine : IAsyncStateMachine { }
            public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine machine)
                where TAwaiter : unmanaged, IFiberAwaiter where TStateMachine : IAsyncStateMachine { }
        }

        public struct FiberTaskBuilder<T> where T : unmanaged
        {
            private nint _frame;
            private T _result;
            public static FiberTaskBuilder<T> Create() => default;
            public FiberTask<T> Task => default;
            public void Start<TStateMachine>(ref TStateMachine machine)
                where TStateMachine : IAsyncStateMachine => machine.MoveNext();
            public void SetStateMachine(IAsyncStateMachine machine) { }
            public void SetResult(T result) { }
            public void SetException(Exception exception) { }
            public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine machine)
                where TAwaiter : unmanaged, IFiberAwaiter where TStateMachine : IAsyncStateMachine { }
            public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine machine)
                where TAwaiter : unmanaged, IFiberAwaiter where TStateMachine : IAsyncStateMachine { }
        }

        public readonly struct FiberHandle { public FiberTask.Awaiter GetAwaiter() => default; }

        public struct FiberCriticalSection : IDisposable { public void Dispose() { } }

        public static class Fiber
        {
            public static FiberTask Safepoint() => default;
            public static FiberTask Yield() => default;
            public static FiberTask Delay(TimeSpan time) => default;
            public static FiberTask<FiberCriticalSection> CriticalSection() => default;
            public static FiberHandle Start<T>(T argument, Func<T, FiberTask> method) where T : unmanaged => default;
        }

        public struct FiberGroup
        {
            public FiberHandle Start<T>(T argument, Func<T, FiberTask> method) where T : unmanaged => default;
            public FiberTask WhenAll() => default;
        }

        public readonly unsafe struct ArenaPointer<T> where T : unmanaged
        {
            private readonly T* _pointer;
            public ArenaPointer(T* pointer) => _pointer = pointer;
            public ref T Value => ref *_pointer;
            public static implicit operator T*(ArenaPointer<T> pointer) => pointer._pointer;
            public static implicit operator ArenaPointer<T>(T* pointer) => new(pointer);
        }

        public readonly unsafe struct ArenaArray<T> where T : unmanaged
        {
            private readonly T* _pointer;
            private readonly long _length;
            public long Length => _length;
            public ref T this[long index] => ref _pointer[index];
            public Span<T> AsSpan() => new(_pointer, (int)_length);
        }

        public struct ArenaMutex { public void Exit() { } }

        public static class FiberLocks { public static FiberTask EnterAsync(ref this ArenaMutex mutex) => default; }
        """;
}
