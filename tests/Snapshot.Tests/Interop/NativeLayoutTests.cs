using System.Runtime.InteropServices;
using Snapshot.Interop;
using Snapshot.NativeThreads;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Interop;

/// <summary>A native library whose structs are not those of Snapshot.dll is refused.</summary>
public sealed unsafe class NativeLayoutTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("snapshot-layout-");

    [Fact]
    public void The_library_has_the_structs_of_this_build() => Native.Require();

    [MachineFact]
    [Needs(Capability.NativeThreads)]
    public void The_runtime_of_native_threads_has_them_too()
    {
        NativeRuntime.Require();
        NativeRuntime.RequireLayouts(NativeStructs.All);
    }

    [MachineFact]
    [Needs(Programs = ["cc"], Toolchain = true)]
    public void One_with_a_field_that_was_moved_is_refused_by_the_name_of_the_field()
    {
        nint library = Compile(
            "snapshot_fill.h", text => Move(text, "uint64_t offset;", before: "uint64_t wanted;"),
            "layout.c");
        AssertRefused(
            library, "sn_layouts", Native.Structs,
            "has field offset of struct sn_fill_block at offset 16 with 8 bytes, Snapshot.dll at offset 0 " +
            "with 8 bytes");
    }

    [MachineFact]
    [Needs(Programs = ["cc"], Toolchain = true)]
    public void One_with_a_field_that_became_larger_is_refused()
    {
        nint library = Compile(
            "snapshot_native.h",
            text => text.Replace("uint32_t held;", "uint64_t held;", StringComparison.Ordinal), "layout.c");
        AssertRefused(library, "sn_layouts", Native.Structs, "has struct sn_freezer of ");
    }

    [MachineFact]
    [Needs(Capability.NativeThreads, Programs = ["cc"], Toolchain = true)]
    public void So_is_such_a_runtime_of_native_threads()
    {
        nint library = Compile(
            "threads/native_thread.h", text => Move(text, "uint32_t owner;", before: "uint32_t seat;"),
            "threads/layout.c");
        AssertRefused(
            library, "snt_layouts", NativeStructs.All,
            "has field seat of struct snt_record at offset 96 with 4 bytes, Snapshot.dll at offset 92 with " +
            "4 bytes");
    }

    [Fact]
    public void One_that_knows_fewer_structs_or_more_is_refused()
    {
        NativeStruct[] all = [.. Native.Structs];
        AssertRefused(all, [.. all[..^1]], "has struct sn_freezer, which Snapshot.dll does not know");
        AssertRefused([.. all[..^1]], all, "does not know struct sn_freezer");
        AssertRefused(
            [all[1]], [all[0]], "has struct sn_mapping where Snapshot.dll has struct sn_page_region");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static void AssertRefused(
        nint library, string function, IEnumerable<NativeStruct> own, string how)
    {
        NativeLayout* layouts;
        ulong count;
        var get =
            (delegate* unmanaged<NativeLayout**, ulong*, int>)NativeLibrary.GetExport(library, function);
        Assert.Equal(0, get(&layouts, &count));
        (nint first, ulong all) = ((nint)layouts, count);
        AssertSays(
            Assert.Throws<SnapshotException>(
                () => NativeLayout.Compare("libother.so", (NativeLayout*)first, all, own)),
            how);
    }

    private static void AssertRefused(
        IEnumerable<NativeStruct> there, IEnumerable<NativeStruct> own, string how)
    {
        FieldLayout[] fields = [.. there.SelectMany(one => one)];
        nint[] texts = [.. fields.SelectMany(field => new[] { field.Structure, field.Field })
            .Select(Marshal.StringToCoTaskMemUTF8)];
        NativeLayout[] layouts = [.. fields.Select((field, index) => new NativeLayout
        {
            Structure = (byte*)texts[2 * index],
            Field = (byte*)texts[(2 * index) + 1],
            Offset = (uint)field.Offset,
            Bytes = (uint)field.Bytes,
        })];
        SnapshotException error = Assert.Throws<SnapshotException>(() =>
        {
            fixed (NativeLayout* first = layouts)
                NativeLayout.Compare("libother.so", first, (ulong)layouts.Length, own);
        });
        foreach (nint text in texts) Marshal.FreeCoTaskMem(text);
        AssertSays(error, how);
    }

    private static void AssertSays(SnapshotException error, string how)
    {
        Assert.Equal(SnapshotErrorCode.NativeLibrary, error.Code);
        Assert.StartsWith($"libother.so {how}", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            ": the two files come from different builds.", error.Message, StringComparison.Ordinal);
    }

    private static string Move(string text, string field, string before)
    {
        Assert.Contains(field, text, StringComparison.Ordinal);
        Assert.Contains(before, text, StringComparison.Ordinal);
        return text.Replace(field, ";", StringComparison.Ordinal)
            .Replace(before, $"{field} {before}", StringComparison.Ordinal);
    }

    /// <summary>Loads what becomes of one source when a header is another one.</summary>
    private nint Compile(string header, Func<string, string> change, string source)
    {
        string root = Path.Combine(Repository.Root, "src/Native");
        foreach (string file in Repository.Sources("src/Native", ".c", ".h"))
        {
            string target = Path.Combine(_folder.FullName, Path.GetRelativePath(root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        string path = Path.Combine(_folder.FullName, header);
        string text = File.ReadAllText(path);
        string changed = change(text);
        Assert.NotEqual(text, changed);
        File.WriteAllText(path, changed);
        ProgramResult compiled = Repository.Run(
            _folder.FullName, "cc",
            "-std=c11", "-D_GNU_SOURCE", "-O0", "-fPIC", "-shared", "-o", "libother.so", source);
        Assert.True(compiled.ExitCode == 0, compiled.ToString());
        return NativeLibrary.Load(Path.Combine(_folder.FullName, "libother.so"));
    }
}
