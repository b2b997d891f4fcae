using System.Diagnostics.CodeAnalysis;

namespace Snapshot.Threads.Fibers;

/// <summary>What programs do wrong with fibers, in words.</summary>
internal static class FiberMisuse
{
    internal static InvalidOperationException NotStructured(string who, Exception? thrown = null) => new(
        $"{who} called a fiber method without awaiting it where it was called, or awaited it twice, or " +
        "awaited another one in between. Calls of one fiber nest. For work beside the caller start another " +
        "fiber with Fiber.Start.",
        thrown);

    internal static InvalidOperationException ResultTakenTwice() => new(
        "The program took the result of a fiber method while it still ran, or for a second time. Await " +
        "what it returns once, where it is called.");

    internal static InvalidOperationException ResultTooLarge(int bytes) => new(
        $"A fiber method has a result of {bytes} bytes, more than {FiberFrame.ResultBytesMax}. Leave it in " +
        "the arena and return where it is.");

    internal static InvalidOperationException NotOneCall() => new(
        "The delegate that starts a fiber must call one fiber method and return what that returns.");

    internal static InvalidOperationException Blocks(string who) => new(
        $"{who} would block its thread, and with it the other fibers and every checkpoint. Await instead: " +
        "EnterAsync, WaitAsync, SignalAndWaitAsync.");

    internal static InvalidOperationException NotInCriticalSection(string who) =>
        new(
            $"{who} leaves a critical section that is not the one it entered last, or that it has left " +
            "before. Leave each once, the innermost first.");

    [DoesNotReturn]
    internal static FiberScheduler ThrowOutside() => throw new InvalidOperationException(
        "This is for fibers, and the calling thread runs none. Start the method with Fiber.Start, inside " +
        "SnapshotSession.RunFibers.");
}
