using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>A theory that needs a program of the machine, and is skipped where that is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ToolTheoryAttribute : TheoryAttribute
{
    /// <summary>Looks on the PATH.</summary>
    /// <param name="program">Its name.</param>
    public ToolTheoryAttribute(string program)
    {
        Program = program;
        Skip = ModuleWorkshop.Missing(program);
    }

    /// <summary>What is looked for.</summary>
    public string Program { get; }
}
