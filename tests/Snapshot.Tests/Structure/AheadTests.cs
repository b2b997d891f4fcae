using System.Reflection;
using System.Reflection.PortableExecutable;
using Snapshot.NativeThreads;
using Xunit;

namespace Snapshot.Tests.Structure;

public class AheadTests
{
    [Theory]
    [InlineData(typeof(SnapshotSession))]
    [InlineData(typeof(NativeHost))]
    public void ReleaseHasCodeForThisMachineBesideItsIl(Type type)
    {
        Assembly assembly = type.Assembly;
        bool isRelease =
            assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration == "Release";
        using FileStream file = File.OpenRead(assembly.Location);
        using PEReader reader = new(file);

        Assert.True(reader.HasMetadata);
        Assert.Equal(isRelease, reader.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0);
    }
}
