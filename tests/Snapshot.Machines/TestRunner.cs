using System.Reflection;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Snapshot.Machines;

/// <summary>Runs tests of an assembly where there is no SDK, as in a guest.</summary>
internal static class TestRunner
{
    /// <summary>Returns exit code 0 when one was found and none failed, else 1.</summary>
    /// <param name="assembly">The path of the assembly.</param>
    /// <param name="parts">Tests whose name has one of these parts are run; all, when there are none.</param>
    internal static int Run(string assembly, IReadOnlyCollection<string> parts)
    {
        AssemblyName name = AssemblyName.GetAssemblyName(assembly);
        using TestMessages messages = new();
        using XunitTestFramework framework = new(messages);
        using ITestFrameworkDiscoverer discoverer =
            framework.GetDiscoverer(Reflector.Wrap(Assembly.Load(name)));
        discoverer.Find(includeSourceInformation: false, messages, Options());
        messages.Found.Wait();

        ITestCase[] chosen = [.. messages.Cases.Where(test => parts.Count == 0
            || parts.Any(part => test.DisplayName.Contains(part, StringComparison.Ordinal)))];
        using ITestFrameworkExecutor executor = framework.GetExecutor(name);
        executor.RunTests(chosen, messages, Options());
        messages.Finished.Wait();
        Console.WriteLine($"{messages.Passed} passed, {messages.Failed} failed, {messages.Skipped} skipped");
        return chosen.Length > 0 && messages.Failed == 0 ? 0 : 1;
    }

    private static TestOptions Options() => new();
}
