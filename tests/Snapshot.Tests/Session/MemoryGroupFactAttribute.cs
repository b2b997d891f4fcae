using Xunit;

namespace Snapshot.Tests.Session;

/// <summary>A test that is skipped where no control group with a limit of memory can be made.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MemoryGroupFactAttribute : FactAttribute
{
    /// <summary>Tries it out.</summary>
    public MemoryGroupFactAttribute()
    {
        try
        {
            using MemoryGroup group = new(1L << 30);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Skip = $"no control group can be made here: {error.Message}";
        }
    }
}
