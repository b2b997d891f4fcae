using System.Reflection;
using System.Reflection.PortableExecutable;
using Xunit;

namespace Snapshot.Tests.Structure;

public class AheadTests
{
    [Fact]
    public void ReleaseHasCodeForThisMachineBesideItsIl()
    {
        Assembly assembly = typeof(SnapshotSession).Assembly;
        bool isRelease = assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration == "Release";
        using FileStream file = File.OpenRead(assembly.Location);
        using PEReader reader = new(file);

        Assert.True(reader.HasMetadata);
        Assert.Equal(isRelease, reader.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0);
    }
}
