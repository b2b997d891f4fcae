using Xunit;

namespace Snapshot.Tests.Session;

public sealed class FoundingScenarioTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_worker_captured_waiting_for_the_handlers_lock_enters_when_the_handler_resumed_in_both_outcomes()
    {
        // Continue. The worker does not poll after it wants the lock: the checkpoint completes only if it
        // counts as stopped there.
        using (TestProgram first = new("founding", _store.Path))
        {
            List<string> lines = first.ReadUntil("end:");
            Assert.Contains("handler: Continued, worker entered 0", lines);
            Assert.True(lines.IndexOf("handler: locked, ready") < lines.IndexOf("worker: wants the lock"));
            Assert.True(
                lines.IndexOf("worker: wants the lock") < lines.IndexOf(
                    "handler: Continued, worker entered 0"));
            Assert.True(
                lines.IndexOf("handler: Continued, worker entered 0") < lines.IndexOf("worker: entered"));
            Assert.Equal("end: entered 1, too early 0", lines[^1]);
        }

        // Restart. The process was killed; in the image the handler holds the lock and the worker has not
        // entered.
        using TestProgram second = new("founding", _store.Path);
        List<string> again = second.ReadUntil("end:");
        Assert.Equal("restarted: mutex held, entered 0", again[0]);
        Assert.True(
            again.IndexOf("worker: wants the lock") < again.IndexOf("handler: Restarted, worker entered 0"));
        Assert.True(again.IndexOf("handler: Restarted, worker entered 0") < again.IndexOf("worker: entered"));
        Assert.Equal("end: entered 1, too early 0", again[^1]);
    }

    [Fact]
    public void A_fiber_captured_waiting_for_a_handlers_lock_enters_when_the_handler_resumed_in_both_outcomes()
    {
        using (TestProgram first = new("founding-fibers", _store.Path))
        {
            List<string> lines = first.ReadUntil("end:");
            AssertInOrder(
                lines,
                "handler: locked, ready", "worker: wants the lock", "handler: Continued, worker entered 0",
                "worker: entered");
            Assert.Equal("end: entered 1, too early 0", lines[^1]);
        }

        using TestProgram second = new("founding-fibers", _store.Path);
        List<string> again = second.ReadUntil("end:");
        AssertInOrder(
            again,
            "restarted: mutex held, entered 0", "other fiber: ran, entered 0",
            "handler: Restarted, worker entered 0",
            "worker: entered", "end: entered 1, too early 0");
        Assert.DoesNotContain("worker: wants the lock", again);
        Assert.DoesNotContain("handler: locked, ready", again);
    }

    private static void AssertInOrder(List<string> lines, params string[] expected) =>
        Assert.Equal(expected, lines.Where(expected.Contains));
}
