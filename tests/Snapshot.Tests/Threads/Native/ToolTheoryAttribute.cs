using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>A theory that needs programs of the machine, and is skipped where one is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolTheoryAttribute : TheoryAttribute
{
    /// <summary>Looks on the PATH.</summary>
    /// <param name="programs">Their names.</param>
    public ToolTheoryAttribute(params string[] programs)
    {
        Programs = programs;
        Skip = programs.Select(ModuleWorkshop.Missing).FirstOrDefault(missing => missing is not null);
    }

    /// <summary>What is looked for.</summary>
    public IReadOnlyList<string> Programs { get; }
}
