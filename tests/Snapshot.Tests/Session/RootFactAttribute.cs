using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>
/// A test that only root can make: of files that it gives to another user, of memory that it locks.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    /// <summary>Skips it, with the reason, for everybody else.</summary>
    public RootFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess)
            Skip = "only root may give files to another user, or lock memory without a limit";
    }
}
