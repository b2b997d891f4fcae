namespace Snapshot.NativeThreads;

/// <summary>
/// A shared library for x86-64 as its file describes it: header, segments, and what they lead to.
/// </summary>
/// <remarks>
/// Read from bytes, before the library is loaded. Nothing in the file is trusted: what is damaged or foreign
/// is a <see cref="SnapshotException"/> with the code NativeModule. Immutable, so thread-safe.
/// </remarks>
internal sealed class ElfImage
{
    private const uint Magic = 0x464c457f;
    private const byte Class64 = 2;
    private const byte LittleEndian = 1;
    private const ushort SharedObject = 3;
    private const ushort MachineX64 = 62;

    /// <summary>Beyond, the count is elsewhere in the file; no library has so many segments.</summary>
    private const ushort SegmentsMax = 0xfffe;

    /// <summary>Reads header, segments and dynamic section; the rest when it is asked for.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="file">All its bytes.</param>
    /// <exception cref="SnapshotException">
    /// NativeModule: it is damaged, or no shared library for x86-64.
    /// </exception>
    internal ElfImage(string path, ReadOnlyMemory<byte> file)
    {
        Bytes = new ElfBytes(path, file);
        RequireKind(Bytes);
        Segments = ReadSegments(Bytes);
        if (!Loaded.Any()) throw Bytes.Foreign("it has no segment to load");
        Dynamic = ElfDynamic.Read(this);
        Relocations = ElfRelocation.ReadAll(this);
        Symbols = ElfSymbol.ReadDynamic(this);
    }

    internal ElfBytes Bytes { get; }

    internal string Path => Bytes.Path;

    /// <summary>All program headers, in the order of the file.</summary>
    internal IReadOnlyList<ElfSegment> Segments { get; }

    internal ElfDynamic Dynamic { get; }

    /// <summary>What the dynamic linker writes into the library when it loads it.</summary>
    internal IReadOnlyList<ElfRelocation> Relocations { get; }

    /// <summary>The dynamic symbols by index; the first is none.</summary>
    internal IReadOnlyList<ElfSymbol> Symbols { get; }

    internal IEnumerable<ElfSegment> Loaded => Segments.Where(segment => segment.Type == ElfSegmentType.Load);

    /// <summary>From the first to the last address that is mapped: the base is its start.</summary>
    internal AddressRange Extent =>
        AddressRange.Between(Loaded.First().Memory.Start, Loaded.Max(s => s.Memory.End));

    /// <summary>Opens a file.</summary>
    /// <exception cref="SnapshotException">
    /// NativeModule: it cannot be read, is damaged or foreign.
    /// </exception>
    internal static ElfImage Open(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NativeModule, $"The native module {path} cannot be read: {error.Message}",
                error)
            {
                Path = path,
            };
        }

        return new ElfImage(path, file);
    }

    /// <summary>The segment of a type of which there is at most one, or null.</summary>
    internal ElfSegment? Find(ElfSegmentType type)
    {
        foreach (ElfSegment segment in Segments)
        {
            if (segment.Type == type) return segment;
        }

        return null;
    }

    /// <summary>Where in the file so many bytes are that are loaded at an address.</summary>
    /// <exception cref="SnapshotException">NativeModule: no segment has them in the file.</exception>
    internal ulong OffsetOf(ulong address, ulong length)
    {
        foreach (ElfSegment segment in Loaded)
        {
            AddressRange inFile = new(segment.Memory.Start, segment.FileSize);
            if (inFile.Contains(address, length)) return segment.Offset + (address - segment.Memory.Start);
        }

        throw Bytes.Damaged(
            0, $"{length} bytes at address 0x{address:x} are referred to, and no segment has them");
    }

    private static void RequireKind(ElfBytes bytes)
    {
        if (bytes.Length < 64 || bytes.U32(0) != Magic) throw bytes.Foreign("it is not an ELF file");
        if (bytes.U8(4) != Class64 || bytes.U8(5) != LittleEndian)
            throw bytes.Foreign("it is not a 64-bit little-endian ELF file");
        ushort type = bytes.U16(16);
        if (type != SharedObject)
            throw bytes.Foreign($"its ELF type is {type}, {NameOf(type)}, and not ET_DYN, a shared library");
        ushort machine = bytes.U16(18);
        if (machine != MachineX64)
            throw bytes.Foreign($"it is for machine {machine} and not for x86-64 (62)");
    }

    private static string NameOf(ushort type) => type switch
    {
        1 => "an object file",
        2 => "a program",
        4 => "a core dump",
        _ => "which is unknown",
    };

    private static ElfSegment[] ReadSegments(ElfBytes bytes)
    {
        ulong table = bytes.U64(32);
        ushort size = bytes.U16(54);
        ushort count = bytes.U16(56);
        if (size != ElfSegment.HeaderSize || count > SegmentsMax)
            throw bytes.Damaged(54, $"{count} program headers of {size} bytes");
        bytes.Take(table, count * ElfSegment.HeaderSize);
        ElfSegment[] segments = new ElfSegment[count];
        for (uint index = 0; index < count; index++)
            segments[index] = ElfSegment.Read(bytes, table + index * ElfSegment.HeaderSize);
        return segments;
    }
}
