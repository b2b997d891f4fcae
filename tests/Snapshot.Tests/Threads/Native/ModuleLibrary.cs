using System.Diagnostics;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Threads.Native;

/// <summary>
/// Native modules of tests/Snapshot.TestModules, built by snapshot-cc in a folder of their own.
/// </summary>
internal sealed class ModuleLibrary : IDisposable
{
#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    private readonly string _folder = Directory.CreateTempSubdirectory("snapshot-cc-").FullName;

    /// <summary>Where the build puts the runtime, the shim and the command.</summary>
    internal static string Runtime =>
        Path.Combine(Repository.Root, "src/Native/obj", Configuration, "threads");

    private static string Sources => Path.Combine(Repository.Root, "tests/Snapshot.TestModules");

    /// <summary>Builds a module; the same name and flags give the same build id.</summary>
    /// <param name="name">Of the library, without lib and .so.</param>
    /// <param name="compiler">cc, g++ or gfortran.</param>
    /// <param name="arguments">Sources, relative to the folder of test modules, and flags.</param>
    internal string Build(string name, string compiler, params string[] arguments)
    {
        string path = Path.Combine(_folder, $"lib{name}.so");

        // gfortran leaves a file for each module where it is told to, else where it was started.
        string[] modules = compiler == "gfortran" ? [$"-J{_folder}"] : [];
        ProcessStartInfo start = new(
            "sh",
            [
                Path.Combine(Runtime, "snapshot-cc"), compiler, "-O2", "-g", "-fstack-protector-all",
                $"-I{Runtime}",
                .. modules, "-o", path, .. arguments, "-lm",
            ])
        { WorkingDirectory = Sources };
        ProgramResult result = Repository.Run(start);
        Xunit.Assert.True(result.ExitCode == 0, result.ToString());
        return path;
    }

    /// <summary>The module with a function for each scene.</summary>
    internal string Scenes(params string[] flags) => Build("scenes", "cc", ["scenes.c", .. flags]);

    /// <summary>Builds an ordinary library.</summary>
    internal string Ordinary(string source)
    {
        string text = Path.Combine(_folder, "ordinary.c"), path = Path.Combine(_folder, "libordinary.so");
        File.WriteAllText(text, source);
        ProgramResult result =
            Repository.Run(_folder, "cc", "-shared", "-fPIC", "-ftls-model=initial-exec", "-o", path, text);
        Xunit.Assert.True(result.ExitCode == 0, result.ToString());
        return path;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
