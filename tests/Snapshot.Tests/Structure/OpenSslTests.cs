using System.Reflection;
using Snapshot.NativeThreads;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>
/// Nothing of the library can load OpenSSL: where it is missing the runtime ends the process.
/// </summary>
/// <remarks>That ids come from the kernel is seen in a process that has no OpenSSL: HiddenFilesTests.</remarks>
public sealed class OpenSslTests
{
    private static readonly string[] s_loading =
    [
        "System.Security.Cryptography", "System.Net.Security", "System.Net.Http", "System.Net.Quic",
        "System.Net.Requests", "System.Net.WebClient", "System.Net.WebSockets.Client", "System.Net.Mail",
    ];

    [Theory]
    [InlineData(typeof(SnapshotSession))]
    [InlineData(typeof(NativeHost))]
    public void The_library_and_its_packages_refer_to_nothing_that_loads_it(Type type) =>
        Assert.Empty(Loading(type.Assembly));

    [Fact]
    public void A_reference_that_loads_it_is_found() => Assert.Equal(
        ["Snapshot.TestPrograms refers to System.Security.Cryptography"],
        Loading(Assembly.Load("Snapshot.TestPrograms")));

    /// <summary>References of an assembly, and of the packages it refers to, that may load OpenSSL.</summary>
    private static List<string> Loading(Assembly assembly)
    {
        List<string> found = [];
        HashSet<string> seen = [];
        Queue<Assembly> left = new([assembly]);
        while (left.TryDequeue(out Assembly? next))
        {
            foreach (AssemblyName name in next.GetReferencedAssemblies())
            {
                if (s_loading.Contains(name.Name)) found.Add($"{next.GetName().Name} refers to {name.Name}");
                bool isBeside = File.Exists(Path.Combine(AppContext.BaseDirectory, $"{name.Name}.dll"));
                if (isBeside && seen.Add(name.Name!)) left.Enqueue(Assembly.Load(name));
            }
        }

        return found;
    }
}
