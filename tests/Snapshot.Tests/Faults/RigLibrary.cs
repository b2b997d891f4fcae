using System.Globalization;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Faults;

/// <summary>The fault rig (tests/Snapshot.FaultRig), built once for a run of the tests.</summary>
internal static class RigLibrary
{
    private static readonly Lazy<string> s_path = new(Build);

    /// <summary>What a program is to preload.</summary>
    internal static string Path => s_path.Value;

    /// <summary>
    /// Variables that let the nth sync of files whose path has this part fail with an errno.
    /// </summary>
    internal static (string Name, string Value)[] FailSync(string part, int nth, int errno) =>
        Fail("sync", part, nth, errno);

    /// <summary>The same for every call of a kind.</summary>
    internal static (string Name, string Value)[] FailEach(string call, string part, int errno) =>
        [.. Fail(call, part, nth: 1, errno), ("RIG_EACH", "1")];

    private static (string Name, string Value)[] Fail(string call, string part, int nth, int errno) =>
    [
        ("LD_PRELOAD", Path),
        ("RIG_CALL", call),
        ("RIG_PART", part),
        ("RIG_NTH", nth.ToString(CultureInfo.InvariantCulture)),
        ("RIG_VALUE", errno.ToString(CultureInfo.InvariantCulture)),
    ];

    private static string Build()
    {
        // Not beside the tests: another user than the one who built them may run them.
        DirectoryInfo folder = Directory.CreateTempSubdirectory("snapshot-rig-");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Delete(recursive: true);
        string library = System.IO.Path.Combine(folder.FullName, "rig.so");
        string[] arguments = [
            "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-shared",
            "-fPIC",
            .. Directory.GetFiles(
                System.IO.Path.Combine(Repository.Root, "tests/Snapshot.FaultRig"), "rig_*.c"),
            "-o", library, "-ldl", "-pthread"];
        ProgramResult built = Repository.Run(Repository.Root, "cc", arguments);
        Assert.True(built.ExitCode == 0, built.ToString());
        return library;
    }
}
