using System.Buffers.Binary;
using Snapshot.NativeThreads;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>
/// The note that linking stamps into a module: its bytes, and what loading makes of one that is not the
/// file's.
/// </summary>
public sealed class ModuleNoteTests : IDisposable
{
    /// <summary>
    /// As docs/NATIVE.md has them: a line for each row of the table, ranges that are not used left out.
    /// </summary>
    private const string Golden =
        "01000000" +
        "01000000" +
        "14000000" +
        "02000000" +
        "0102030405060708090a0b0c0d0e0f1011121314" + "000000000000000000000000" +
        "00d0000010180000" + "0010000000000000" +
        "00f0000010180000" + "0030000000000000";

    private const string BuildId = "0102030405060708090a0b0c0d0e0f1011121314";

    private static readonly AddressRange[] s_ranges = [new(0x1810_0000_d000, 0x1000),
        new(0x1810_0000_f000, 0x3000)];

    private readonly ModuleWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public void Its_bytes_are_those_of_the_document()
    {
        ModuleNote note = new() { Unwinder = UnwinderKind.Own, BuildId = BuildId, Writable = s_ranges };
        byte[] bytes = note.ToBytes();
        Assert.Equal(Golden.PadRight(2 * 176, '0'), Convert.ToHexStringLower(bytes));

        ModuleNote read = ModuleNote.Read(bytes)!;
        Assert.Equal(
            (1u, UnwinderKind.Own, BuildId), (read.ContractVersion, read.Unwinder, read.BuildId));
        Assert.Equal(s_ranges, read.Writable);
    }

    [Fact]
    public void It_has_room_for_32_bytes_of_build_id_and_8_ranges()
    {
        static bool Fits(int idBytes, int ranges) => new ModuleNote
        {
            Unwinder = UnwinderKind.None,
            BuildId = new string('a', 2 * idBytes),
            Writable = [.. Enumerable.Repeat(s_ranges[0], ranges)],
        }.Fits;
        Assert.True(Fits(32, 8));
        Assert.False(Fits(33, 8));
        Assert.False(Fits(32, 9));
    }

    [Fact]
    public void The_check_writes_what_the_file_is_and_the_build_id_stays()
    {
        byte[] before = File.ReadAllBytes(Unstamped().Path);
        ElfImage room = new("libroom.so", before);
        Assert.Empty(NoteRules.ViolationsOf(room));
        AddressRange place = ModuleNote.PlaceIn(room)!.Value;
        Assert.Equal(176ul, place.Length);

        ElfImage module = Stamped();
        byte[] after = File.ReadAllBytes(module.Path);
        Assert.Equal(place, ModuleNote.PlaceIn(module)!.Value);
        Assert.Equal(ElfNotes.BuildIdOf(room), ElfNotes.BuildIdOf(module));
        ModuleNote note = ModuleNote.Read(after.AsSpan((int)place.Start, 176))!;
        Assert.Equal(ElfNotes.BuildIdOf(module), note.BuildId);
        Assert.Equal(NativeModuleManifest.Of(module).Writable, note.Writable);
        Assert.Equal(UnwinderKind.None, note.Unwinder);

        after.AsSpan((int)place.Start, 176).Clear();
        Assert.Equal(before, after);
    }

    [Fact]
    public void Every_damaged_byte_is_found()
    {
        ElfImage module = Stamped();
        byte[] file = File.ReadAllBytes(module.Path);
        int start = (int)ModuleNote.PlaceIn(module)!.Value.Start;
        for (int at = 0; at < 176; at++)
        {
            file[start + at] ^= 0xff;
            NativeModuleViolation violation =
                Assert.Single(NoteRules.ViolationsOf(new ElfImage("lib.so", file)));
            Assert.Equal(NativeModuleRule.Note, violation.Rule);
            file[start + at] ^= 0xff;
        }
    }

    [Theory]
    [InlineData(0, 2, "against version 2 of the contract of native modules, and this is version 1")]
    [InlineData(4, 1, "it has not an unwinder, and its note (.note.snapshot) says otherwise")]
    [InlineData(16, 7, "its note (.note.snapshot) says 07")]
    [InlineData(48, 7, "its variables are at 0x18")]
    [InlineData(60, 1, "its variables are at 0x18")]
    [InlineData(12, 9, "has a note of its check that is damaged (.note.snapshot, 176 bytes)")]
    [InlineData(100, 1, "is damaged")]
    public void A_module_whose_note_says_something_else_is_refused(int at, byte value, string message)
    {
        ElfImage module = Stamped();
        byte[] file = File.ReadAllBytes(module.Path);
        file[(int)ModuleNote.PlaceIn(module)!.Value.Start + at] = value;
        AssertRefused(module, file, message);
    }

    [Fact]
    public void A_module_of_another_build_id_than_its_note_is_refused()
    {
        ElfImage module = Stamped();
        byte[] file = File.ReadAllBytes(module.Path);
        file[(int)ElfNotes.Find(module, "GNU\0"u8, 3)!.Value.Start] ^= 0xff;
        AssertRefused(module, file, "was changed after its check: its build id is ");
    }

    [Fact]
    public void A_note_of_another_length_is_refused()
    {
        ElfImage module = Stamped();
        byte[] file = File.ReadAllBytes(module.Path);
        Span<byte> length = file.AsSpan((int)ModuleNote.PlaceIn(module)!.Value.Start - 20, 4);
        Assert.Equal(176u, BinaryPrimitives.ReadUInt32LittleEndian(length));
        length[0] = 100;
        AssertRefused(module, file, "damaged (.note.snapshot, 100 bytes)");
        length[1] = 100;
        AssertRefused(module, file, "a note does not end within its segment");
    }

    private static void AssertRefused(ElfImage module, byte[] file, string message)
    {
        File.WriteAllBytes(module.Path, file);
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => NativeModuleContract.Require(module.Path, []));
        Assert.Equal(SnapshotErrorCode.NativeModule, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Split('\n').Length, 1, 2);
    }

    /// <summary>The same file as <see cref="Stamped"/> makes, before the check has written into it.</summary>
    private ElfImage Unstamped()
    {
        string path = Path.Combine(_workshop.Folder, "libnoted.so");
        ProgramResult flags = _workshop.RunBuilt("--no-runtime", "--print-flags", path);
        ModuleWorkshop.AssertDone(flags);
        ModuleWorkshop.AssertDone(Repository.Run(
            _workshop.Folder, "cc", [Source(), "-o", path, "-lm", .. flags.Output.Trim().Split(' ')]));
        return ElfImage.Open(path);
    }

    private ElfImage Stamped()
    {
        string path = Path.Combine(_workshop.Folder, "libnoted.so");
        ModuleWorkshop.AssertDone(_workshop.RunBuilt("--no-runtime", "cc", Source(), "-o", path, "-lm"));
        return ElfImage.Open(path);
    }

    private string Source()
    {
        string path = Path.Combine(_workshop.Folder, "noted.c");
        File.WriteAllText(path, ModuleWorkshop.GoodSource);
        return path;
    }
}
