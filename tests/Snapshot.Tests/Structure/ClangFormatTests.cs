using Snapshot.Tests.Profiles;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>One layout of C: what clang-format makes of it by the file .clang-format.</summary>
public sealed class ClangFormatTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-format-");

    [MachineFact]
    [Needs(Programs = ["clang-format"], Toolchain = true)]
    public void The_C_part_is_laid_out_as_clang_format_would()
    {
        string[] sources =
        [
            .. ((string[])["src/Native", "src/Snapshot.C", "src/Snapshot.Mpi", "samples/Library",
                "samples/HeatRanks", "tests/Snapshot.LibraryPrograms"]).SelectMany(
                folder => Repository.Sources(folder, ".c", ".h", ".cc", ".hpp", ".cpp")),
        ];
        Assert.Contains(sources, file => file.EndsWith("/snapshot_native.h", StringComparison.Ordinal));
        ProgramResult result = Check(Repository.Root, sources);
        Assert.True(result.ExitCode == 0, $"clang-format -i would change: {result}");
    }

    [MachineFact]
    [Needs(Programs = ["clang-format"], Toolchain = true)]
    public void Another_layout_is_found()
    {
        File.Copy(
            Path.Combine(Repository.Root, ".clang-format"), Path.Combine(_folder.FullName, ".clang-format"));
        string file = Path.Combine(_folder.FullName, "a.c");
        File.WriteAllText(file, "int a(void)\n{\n    return 0;\n}\n");
        Assert.Equal(0, Check(_folder.FullName, file).ExitCode);
        File.WriteAllText(file, "int a(void)\n{\n  return 0;\n}\n");
        ProgramResult result = Check(_folder.FullName, file);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(
            "a.c:2:2: error: code should be clang-formatted", result.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static ProgramResult Check(string folder, params string[] sources) => Repository.Run(
        folder, "clang-format", ["--dry-run", "-Werror", "--style=file", .. sources]);
}
