using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>
/// A test that reads the source tree, and is skipped where only what was built is, as in a guest.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SourcesFactAttribute : FactAttribute
{
    /// <summary>Looks for them.</summary>
    public SourcesFactAttribute()
    {
        if (!Directory.Exists(Path.Combine(Repository.Root, "src"))) Skip = "the sources are not here";
    }
}
