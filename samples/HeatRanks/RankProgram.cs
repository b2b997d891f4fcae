using System.Diagnostics;
using KillDemo;

namespace HeatRanks;

/// <summary>What each rank runs: this program, or the one in C, compiled for it.</summary>
internal sealed class RankProgram : IDisposable
{
    internal const string CSharp = "csharp";

    internal static readonly string[] Languages = [CSharp, "c"];

    private readonly DirectoryInfo? _folder;

    private RankProgram(string[] command, DirectoryInfo? folder) => (Command, _folder) = (command, folder);

    /// <summary>The program, and what comes before its options.</summary>
    internal string[] Command { get; }

    /// <exception cref="RunException">It cannot be compiled.</exception>
    internal static RankProgram In(string language, MpiCommands mpi)
    {
        if (language != CSharp) return InC(mpi);
        return new RankProgram(
            ["dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "HeatRanks.dll"), "run"], null);
    }

    public void Dispose() => _folder?.Delete(recursive: true);

    /// <summary>Against the library as the build of src/Snapshot.C makes it.</summary>
    private static RankProgram InC(MpiCommands mpi)
    {
        string root = Root();
        string library = Path.Combine(root, "src/Snapshot.C");
        string built = Path.Combine(library, "bin/Release/net10.0/linux-x64/publish/libsnapshot.so");
        if (!File.Exists(built)) Run(root, "dotnet", "build", library, "-c", "Release", "-nologo", "-v:q");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("snapshot-heat-ranks-");
        string program = Path.Combine(folder.FullName, "heat_ranks");
        File.Copy(built, Path.Combine(folder.FullName, "libsnapshot.so.0"));
        string calls = Path.Combine(root, "src/Snapshot.Mpi/native");
        Run(
            root, mpi.Compile,
            "-std=c11", "-O2", $"-I{library}/include", $"-I{calls}", "-o", program,
            Path.Combine(root, "samples/HeatRanks/heat_ranks.c"), $"{library}/mpi/snapshot_mpi.c",
            $"{calls}/calls.c", $"-L{folder.FullName}", "-l:libsnapshot.so.0",
            $"-Wl,-rpath,{folder.FullName}");
        return new RankProgram([program], folder);
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Snapshot.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new RunException(
            "The program in C is compiled from the source tree, which is in no folder above " +
            $"'{AppContext.BaseDirectory}'.");
    }

    private static void Run(string folder, string program, params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string said = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new RunException($"{program} failed: {said.Trim()}");
    }
}
