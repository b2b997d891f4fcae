using System.Buffers.Binary;

namespace Snapshot.NativeThreads;

/// <summary>
/// What a module says of the check that it has passed where it was built. The linker reserves its room,
/// filled with zeros (snapshot_note.s), and the check fills it. docs/NATIVE.md has its layout.
/// </summary>
/// <remarks>
/// Each byte follows from the contract's version and from the file, so that a damaged note is one that says
/// something else than the file does. The build id does not depend on it: the linker computes that while the
/// note is zero.
/// </remarks>
internal sealed class ModuleNote
{
    /// <summary>The section that it is in.</summary>
    internal const string Section = ".note.snapshot";

    /// <summary>Bytes of its content.</summary>
    internal const int Size = 176;

    /// <summary>Its kind, among the notes of its owner.</summary>
    internal const uint Type = 1;

    internal const int BuildIdBytesMax = 32;
    internal const int RangesMax = 8;

    private const int UnwinderAt = 4;
    private const int BuildIdSizeAt = 8;
    private const int CountAt = 12;
    private const int BuildIdAt = 16;
    private const int RangesAt = BuildIdAt + BuildIdBytesMax;
    private const int RangeSize = 16;

    /// <summary>Whose note it is.</summary>
    internal static ReadOnlySpan<byte> Owner => "Snapshot\0"u8;

    /// <summary>The version of the contract that was checked.</summary>
    internal uint ContractVersion { get; init; } = NativeModuleContract.Version;

    internal required UnwinderKind Unwinder { get; init; }

    /// <summary>Hexadecimal digits that name what was checked.</summary>
    internal required string BuildId { get; init; }

    /// <summary>What is captured.</summary>
    internal required IReadOnlyList<AddressRange> Writable { get; init; }

    /// <summary>
    /// Whether there is room for what it is to say: linkers make smaller ids, and fewer segments.
    /// </summary>
    internal bool Fits => BuildId.Length <= 2 * BuildIdBytesMax && Writable.Count <= RangesMax;

    /// <summary>
    /// Where in the file its content is, or its room; null for a module that was linked without.
    /// </summary>
    internal static AddressRange? PlaceIn(ElfImage module) => ElfNotes.Find(module, Owner, Type);

    /// <summary>What the note of a module that has passed the check says.</summary>
    /// <exception cref="SnapshotException">NativeModule: it has no build id.</exception>
    internal static ModuleNote Of(ElfImage module) => new()
    {
        Unwinder = UnwindRules.KindOf(module),
        BuildId = ElfNotes.BuildIdOf(module) ?? throw module.Bytes.Foreign("it has no build id"),
        Writable = WritableMemory.Of(module),
    };

    /// <summary>Reads a note; null when no check writes such a one.</summary>
    internal static ModuleNote? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) return null;
        uint idSize = BinaryPrimitives.ReadUInt32LittleEndian(bytes[BuildIdSizeAt..]);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(bytes[CountAt..]);
        if (idSize > BuildIdBytesMax || count > RangesMax) return null;
        AddressRange[] writable = new AddressRange[count];
        for (int index = 0; index < writable.Length; index++)
        {
            ReadOnlySpan<byte> range = bytes[(RangesAt + index * RangeSize)..];
            writable[index] = new AddressRange(
                BinaryPrimitives.ReadUInt64LittleEndian(range),
                BinaryPrimitives.ReadUInt64LittleEndian(range[8..]));
        }

        ModuleNote note = new()
        {
            ContractVersion = BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            Unwinder = (UnwinderKind)BinaryPrimitives.ReadUInt32LittleEndian(bytes[UnwinderAt..]),
            BuildId = Convert.ToHexStringLower(bytes.Slice(BuildIdAt, (int)idSize)),
            Writable = writable,
        };
        return bytes.SequenceEqual(note.ToBytes()) ? note : null;
    }

    /// <summary>The content of the note, for which it has room.</summary>
    internal byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, ContractVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(UnwinderAt), (uint)Unwinder);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(BuildIdSizeAt), (uint)BuildId.Length / 2);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(CountAt), (uint)Writable.Count);
        Convert.FromHexString(BuildId).CopyTo(bytes.AsSpan(BuildIdAt));
        for (int index = 0; index < Writable.Count; index++)
        {
            Span<byte> range = bytes.AsSpan(RangesAt + index * RangeSize);
            BinaryPrimitives.WriteUInt64LittleEndian(range, Writable[index].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(range[8..], Writable[index].Length);
        }

        return bytes;
    }
}
