using Xunit;

namespace Snapshot.Tests;

/// <summary>A theory whose cases take minutes each: only when long tests are asked for.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongTheoryAttribute : TheoryAttribute
{
    public LongTheoryAttribute()
    {
        if (!Soak.IsLong) Skip = "takes minutes a case: set SNAPSHOT_SOAK_SECONDS";
    }
}
