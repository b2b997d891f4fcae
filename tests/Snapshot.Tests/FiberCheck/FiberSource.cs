using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;
using Snapshot.FiberCheck;
using Xunit;

namespace Snapshot.Tests.FiberCheck;

/// <summary>A source with fiber methods, compiled into a folder of its own as a build does it.</summary>
internal sealed class FiberSource : IDisposable
{
    /// <summary>The name of the file with the source.</summary>
    internal const string FileName = "/source/Code.cs";

    /// <summary>Stands in a source right before the place where an error is expected.</summary>
    internal const string Mark = "/*!*/";

    /// <summary>What every source may use, on its first lines.</summary>
    private const string Before = """
        using System; using System.Collections.Generic; using System.IO; using System.Linq; using System.Numerics;
        using System.Runtime.CompilerServices; using System.Runtime.Intrinsics; using Snapshot; using Snapshot.Fibers;
        static class Calls
        {
            public static async FiberTask<int> Number() { await Fiber.Safepoint(); return 1; }
            public static void Use<T>(T value) { }
            public static string Text() => "";
        }
        """;

    private static readonly MetadataReference[] s_references =
        [.. References.Select(path => MetadataReference.CreateFromFile(path))];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("snapshot-fiber-check-");
    private readonly string _text;

    internal FiberSource(
        string members,
        OptimizationLevel optimization = OptimizationLevel.Release,
        DebugInformationFormat symbols = DebugInformationFormat.PortablePdb)
    {
        _text = $"{Before}\n{members}\n";
        CSharpParseOptions options = new(LanguageVersion.Latest);
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Code",
            [CSharpSyntaxTree.ParseText(SourceText.From(_text, Encoding.UTF8), options, FileName)],
            s_references,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: optimization, allowUnsafe: true));

        bool isBeside = symbols == DebugInformationFormat.PortablePdb;
        using FileStream assembly = File.Create(Assembly);
        using FileStream? pdb = isBeside ? File.Create(Symbols) : null;
        EmitResult result = compilation.Emit(
            assembly, pdb, options: new EmitOptions(debugInformationFormat: symbols, pdbFilePath: Symbols));
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
    }

    /// <summary>The compiled assembly.</summary>
    internal string Assembly => Path.Combine(_directory.FullName, "Code.dll");

    /// <summary>Its symbols, unless they are embedded.</summary>
    internal string Symbols => Path.Combine(_directory.FullName, "Code.pdb");

    /// <summary>The framework and the library, as this process has them.</summary>
    internal static IEnumerable<string> References =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(':')
        .Where(path => !Path.GetFileName(path).StartsWith("Snapshot.", StringComparison.Ordinal))
        .Append(typeof(SnapshotSession).Assembly.Location);

    /// <summary>The place behind a mark, as an error names it.</summary>
    internal string Marked(int index = 0)
    {
        int start = -Mark.Length;
        for (int i = 0; i <= index; i++)
            start = _text.IndexOf(Mark, start + Mark.Length, StringComparison.Ordinal);
        LinePosition place = SourceText.From(_text).Lines.GetLinePosition(start + Mark.Length);
        return $"{FileName}({place.Line + 1},{place.Character + 1})";
    }

    /// <summary>The errors of the assembly, as they are printed.</summary>
    internal string[] Check(params (string From, string To)[] pathMap) =>
        [.. FiberChecker.Check(new CheckOptions(Assembly, [.. References], pathMap))
            .Select(finding => finding.ToString())];

    public void Dispose() => _directory.Delete(recursive: true);
}
