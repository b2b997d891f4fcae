using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Snapshot.Analyzers;
using Xunit;

namespace Snapshot.Tests.Analyzers;

/// <summary>
/// Compiles members of a class against the fibers' public face and asks the analyzer what it thinks of them.
/// </summary>
internal static class Analysis
{
    /// <summary>What every source sees; the members under test follow, then the closing brace.</summary>
    private const string Before = """
        using System;
        using System.Collections.Generic;
        using System.Diagnostics;
        using System.IO;
        using System.Linq;
        using System.Runtime.CompilerServices;
        using System.Runtime.InteropServices;
        using System.Threading;
        using System.Threading.Tasks;
        using Snapshot;
        using Snapshot.Fibers;

        struct Pair { public long A, B; }
        struct Labelled { public string Text; public long Number; }
        [InlineArray(4)] struct Four { private long _first; }
        unsafe struct Buffered { public fixed long Cells[4]; public long Count; }
        struct Numbers
        {
            private int _at;
            public readonly Numbers GetEnumerator() => this;
            public readonly Numbers GetAsyncEnumerator() => this;
            public bool MoveNext() => _at++ < 3;
            public async FiberTask<bool> MoveNextAsync() { await Fiber.Yield(); return false; }
            public readonly int Current => _at;
        }
        struct Closing { public readonly async FiberTask DisposeAsync() => await Fiber.Yield(); }
        class Box { public long Value; public string Name = ""; }

        class Program
        {
            static void Use(object? value) { }
            static void UseBoth(object? value, long number) { }
            static void UseText(string? text, long number) { }
            static string Name(long number) => "";
            static async FiberTask Nothing() => await Fiber.Yield();
            static async FiberTask<long> Number() { await Fiber.Yield(); return 1; }
            static async FiberTask<bool> Truth() { await Fiber.Yield(); return true; }

        """;

    private static readonly CSharpParseOptions s_parse = new(LanguageVersion.Latest);

    /// <summary>The framework and the library, read once for all compilations.</summary>
    internal static IReadOnlyList<MetadataReference> References { get; } =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(':')
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Append(typeof(FiberTask).Assembly.Location)
            .Select(path => MetadataReference.CreateFromFile(path))];

    internal static CSharpCompilationOptions Options { get; } = new(
        OutputKind.DynamicallyLinkedLibrary,
        optimizationLevel: OptimizationLevel.Release,
        allowUnsafe: true,
        nullableContextOptions: NullableContextOptions.Enable,
        specificDiagnosticOptions: [new("SNAP1110", ReportDiagnostic.Info)]);

    /// <summary>The whole source that members make.</summary>
    internal static string Complete(string members) => $"{Before}{members}\n}}\n";

    /// <summary>
    /// The diagnostics of members, each as its id, the text it points at, and its message: <c>SNAP1101 [name]
    /// Parameter…</c>.
    /// </summary>
    internal static async Task<string[]> Of(string members, bool andHints = false) =>
        [.. (await In(Compile(Complete(members))))
            .Where(found => andHints || found.Severity >= DiagnosticSeverity.Warning)
            .Select(found => $"{found.Id} [{PlaceOf(found)}] {found.GetMessage(null)}")];

    internal static CSharpCompilation Compile(string source) => CSharpCompilation.Create(
        "Sample", [CSharpSyntaxTree.ParseText(source, s_parse)], References, Options);

    /// <summary>What the analyzer finds in a compilation, in the order of the source.</summary>
    internal static async Task<ImmutableArray<Diagnostic>> In(Compilation compilation)
    {
        ImmutableArray<Diagnostic> found = await compilation.WithAnalyzers(
            [new FiberAnalyzer(), new UseAnalyzer()])
            .GetAnalyzerDiagnosticsAsync();
        return [.. found.OrderBy(diagnostic => diagnostic.Location.SourceSpan.Start)];
    }

    /// <summary>The errors of the compiler, also those it finds only when it emits code.</summary>
    internal static string[] ErrorsOf(CSharpCompilation compilation)
    {
        using MemoryStream ignored = new();
        return [.. compilation.Emit(ignored).Diagnostics
            .Where(found => found.Severity == DiagnosticSeverity.Error).Select(found => found.ToString())];
    }

    /// <summary>
    /// The fields of state machines of fibers that are or hold references, as the compiler really made them.
    /// </summary>
    internal static string[] ReferencesKept(string members)
    {
        using MemoryStream image = new();
        Assert.Empty(Compile(Complete(members)).Emit(image).Diagnostics
            .Where(found => found.Severity == DiagnosticSeverity.Error));
        image.Position = 0;
        AssemblyLoadContext context = new(null, isCollectible: true);
        try
        {
            const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
            return [.. context.LoadFromStream(image).GetTypes()
                .Where(type => type.GetField("<>t__builder", Fields)?.FieldType.Name.StartsWith(
                    "FiberTaskBuilder", StringComparison.Ordinal) == true)
                .SelectMany(type => type.GetFields(Fields))
                .Where(field => HoldsReference(field.FieldType))
                .Select(field => $"{field.DeclaringType!.Name}.{field.Name}")];
        }
        finally
        {
            context.Unload();
        }
    }

    private static bool HoldsReference(Type type) => !type.IsPointer && !type.IsPrimitive && !type.IsEnum
        && !type.GetCustomAttributesData().Any(marked => marked.AttributeType.Name == "IsUnmanagedAttribute")
        && (!type.IsValueType
            || type.IsGenericParameter
            || type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
                .Any(field => HoldsReference(field.FieldType)));

    private static string PlaceOf(Diagnostic found) =>
        found.Location.SourceTree!.GetText().ToString(found.Location.SourceSpan);
}
