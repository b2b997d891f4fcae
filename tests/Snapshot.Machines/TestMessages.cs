using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Machines;

/// <summary>
/// What xunit tells of a run, counted and printed. Each test is named at its start, too: one that hangs is
/// then known. Thread-safe.
/// </summary>
internal sealed class TestMessages : LongLivedMarshalByRefObject, IMessageSink, IDisposable
{
    private readonly List<ITestCase> _cases = [];
    private readonly Lock _lock = new();

    /// <summary>Set when all tests are found.</summary>
    internal ManualResetEventSlim Found { get; } = new();

    /// <summary>Set when all tests have ended.</summary>
    internal ManualResetEventSlim Finished { get; } = new();

    /// <summary>The tests; complete when <see cref="Found"/> is set.</summary>
    internal IReadOnlyList<ITestCase> Cases => _cases;

    internal int Passed { get; private set; }

    internal int Failed { get; private set; }

    internal int Skipped { get; private set; }

    public bool OnMessage(IMessageSinkMessage message)
    {
        lock (_lock) Take(message);
        return true;
    }

    public void Dispose()
    {
        Found.Dispose();
        Finished.Dispose();
    }

    private void Take(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestCaseDiscoveryMessage found:
                _cases.Add(found.TestCase);
                break;
            case IDiscoveryCompleteMessage:
                Found.Set();
                break;
            case ITestStarting starting:
                Console.WriteLine($"start   {starting.Test.DisplayName}");
                break;
            case ITestPassed passed:
                Passed++;
                Console.WriteLine($"passed  {passed.Test.DisplayName} ({passed.ExecutionTime:F1} s)");
                break;
            case ITestSkipped skipped:
                Skipped++;
                Console.WriteLine($"skipped {skipped.Test.DisplayName}: {skipped.Reason}");
                break;
            case ITestFailed failed:
                Failed++;
                Console.WriteLine($"failed  {failed.Test.DisplayName}: {string.Join('\n', failed.Messages)}");
                break;
            // A fixture or a class that fails outside its tests is no test, and no success either.
            case IErrorMessage error:
                Failed++;
                Console.WriteLine($"failed  {string.Join('\n', error.Messages)}");
                break;
            case ITestAssemblyFinished:
                Finished.Set();
                break;
        }
    }
}
