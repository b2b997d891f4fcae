using Microsoft.CodeAnalysis;
using Snapshot.Tests.Threads;
using Xunit;

namespace Snapshot.Tests.Structure;

/// <summary>
/// The C# of docs/GUIDE.md compiles without unsafe code. Its programs say all that a new project needs, run,
/// and run again; the one with native code needs a module, and is run from the package.
/// </summary>
public sealed class GuideTests
{
    /// <summary>What a block that opens no session of its own stands in.</summary>
    internal const string Around = """
        using SnapshotSession session = SnapshotSession.Open("guide.store");
        Arena arena = session.OpenArena("guide");
        using Participant me = session.Attach("main");

        """;

    private const string Configuration = """
        { "runtimeOptions": { "tfm": "net10.0", "framework": { "name": "Microsoft.NETCore.App", "version": "10.0.0" } } }
        """;

    /// <summary>Each block: the line of its fence, what the fence says, the code.</summary>
    public static TheoryData<int, string, string> Blocks() => CodeBlocks.Of("docs/GUIDE.md");

    [Theory]
    [MemberData(nameof(Blocks))]
    public void Each_block_compiles_and_each_program_runs(int line, string mark, string code)
    {
        Assert.True(mark is "" or "program" or "native", $"line {line}: '{mark}' is no kind of block");
        bool isWhole = code.Contains("SnapshotSession session", StringComparison.Ordinal);
        FiberSnippet snippet = new(
            [isWhole ? code : Around + code], name: "Guide", kind: OutputKind.ConsoleApplication,
            allowsUnsafe: false,
            usesLibrary: mark.Length == 0);
        Assert.True(snippet.Errors.Count == 0, $"line {line}: {string.Join('\n', snippet.Errors)}");
        if (mark == "program") RunTwice(line, snippet.Image);
    }

    [Fact]
    public void Unsafe_code_is_refused()
    {
        FiberSnippet snippet = new(
            [Around + "unsafe { arena.Allocate(8); }"], kind: OutputKind.ConsoleApplication,
            allowsUnsafe: false);
        Assert.Contains(snippet.Errors, error => error.Id == "CS0227");
    }

    [Fact]
    public void A_program_without_the_namespace_is_refused()
    {
        FiberSnippet snippet = new(
            [Around], kind: OutputKind.ConsoleApplication, allowsUnsafe: false, usesLibrary: false);
        Assert.Contains(snippet.Errors, error => error.Id == "CS0246");
    }

    private static void RunTwice(int line, byte[] program)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-guide-");
        try
        {
            foreach (string file in Directory.EnumerateFiles(AppContext.BaseDirectory).Where(IsOfTheLibrary))
                File.CreateSymbolicLink(Path.Combine(directory.FullName, Path.GetFileName(file)), file);
            File.WriteAllBytes(Path.Combine(directory.FullName, "Guide.dll"), program);
            File.WriteAllText(Path.Combine(directory.FullName, "Guide.runtimeconfig.json"), Configuration);
            ProgramResult first = Repository.Run(directory.FullName, "dotnet", "Guide.dll");
            Assert.True(first.ExitCode == 0 && first.Output.Length > 0, $"line {line}: {first}");
            ProgramResult again = Repository.Run(directory.FullName, "dotnet", "Guide.dll");
            Assert.True(again.ExitCode == 0 && again.Output.Length > 0, $"line {line}, again: {again}");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static bool IsOfTheLibrary(string file) =>
        Path.GetFileName(file) is "Snapshot.dll" or "K4os.Compression.LZ4.dll" or "System.IO.Hashing.dll"
            or "System.Numerics.Tensors.dll"
        || Path.GetFileName(file).StartsWith("libsnapshot_", StringComparison.Ordinal);
}
