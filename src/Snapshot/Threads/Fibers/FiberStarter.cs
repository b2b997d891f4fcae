using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Snapshot.Threads.Fibers;

/// <summary>
/// Makes the first frame of a new fiber: of the fiber method that a delegate calls, which does not begin yet.
/// </summary>
internal sealed unsafe class FiberStarter(WorkerMemory memory)
{
    [ThreadStatic]
    private static bool s_isStarting;

    private FiberFrame* _started;

    /// <summary>Whether the next fiber method that is called is to be the outermost of a new fiber.</summary>
    internal static bool IsStarting => s_isStarting;

    /// <summary>The frame of the one call; null when that does not wait.</summary>
    internal FiberFrame* FrameOf<TArgument>(TArgument argument, Func<TArgument, FiberTask> body)
    {
        // A delegate may start another fiber before it makes its own call.
        bool outerIsStarting = s_isStarting;
        FiberFrame* outer = _started;
        _started = null;
        s_isStarting = true;
        try
        {
            FiberTask task = body(argument);
            return task.Frame == _started ? _started : throw FiberMisuse.NotOneCall();
        }
        catch
        {
            if (_started != null) memory.Free(_started);
            throw;
        }
        finally
        {
            s_isStarting = outerIsStarting;
            _started = outer;
        }
    }

    /// <summary>The call is made: it begins when the fiber is first run.</summary>
    internal void Begin<[DynamicallyAccessedMembers(FrameLayout.Members)] TStateMachine>(
        ref FiberFrame* slot, ref TStateMachine stateMachine, int resultBytes)
        where TStateMachine : IAsyncStateMachine
    {
        s_isStarting = false;
        _started = memory.MakeFrame(ref slot, ref stateMachine, resultBytes);
    }
}
