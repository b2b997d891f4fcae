using System.Buffers.Binary;
using Snapshot.Fuzz.Forging;
using Snapshot.Image;

namespace Snapshot.Tests.Image;

/// <summary>
/// Each thing an index can say that no library can have written, as a change of an image of two arenas and a
/// buffer.
/// </summary>
internal static class ImpossibleContent
{
    private const ulong TwoMiB = 2 << 20;

    internal static IReadOnlyDictionary<string, Action<ImageParts>> All { get; } =
        new Dictionary<string, Action<ImageParts>>(
            [.. OfHeaders, .. OfArenas, .. OfBuffers, .. OfExtents, .. OfBlocks, .. OfMetadata, .. OfRoots]);

    private static Dictionary<string, Action<ImageParts>> OfHeaders => new()
    {
        ["parent is not older"] = Header(ImageFormat.Header.ParentGeneration, 2, parent: true),
        ["parent is itself younger"] = Header(ImageFormat.Header.ParentGeneration, 9, parent: true),
        ["parent without id"] = Header(ImageFormat.Header.ParentGeneration, 1, parent: false),
        ["full and incremental"] = Header(ImageFormat.Header.Kind, 2, parent: false),
        ["generation above 2^63"] = Header(ImageFormat.Header.Generation, ulong.MaxValue, parent: false),
        ["no byte order"] = Header(ImageFormat.Header.Architecture, 183, parent: false),
        ["byte order of no architecture"] = Header(ImageFormat.Header.Architecture, 1 << 16, parent: false),
        ["a third byte order"] = Header(ImageFormat.Header.Architecture, 3 << 16 | 62, parent: false),
        ["block size"] = Header(ImageFormat.Header.BlockPages, 65, parent: false),
    };

    private static Dictionary<string, Action<ImageParts>> OfArenas => new()
    {
        ["base off 2 MiB"] = Region(0, arena => arena.Base += 4096),
        ["base zero"] = Region(0, arena => arena.Base = 0),
        ["base below the range"] = Region(0, arena => arena.Base = 0x1fff_ffe0_0000),
        ["base above the range"] = Region(0, arena => arena.Base = 0x7f00_0000_0000),
        ["end above the range"] = Region(0, arena => arena.Base = 0x5500_0000_0000 - TwoMiB),
        ["base of the kernel"] = Region(0, arena => arena.Base = ulong.MaxValue - TwoMiB + 1),
        ["no capacity"] = Region(0, arena => arena.Capacity = 0),
        ["capacity below the least"] = Region(0, arena => arena.Capacity = TwoMiB),
        ["capacity off 2 MiB"] = Region(0, arena => arena.Capacity += 4096),
        ["capacity above the limit"] = Region(0, arena => arena.Capacity = (4UL << 40) + TwoMiB),
        ["capacity that overflows"] = Region(0, arena => arena.Capacity = ulong.MaxValue - 4095),
        ["capacity below what is committed"] =
            Region(0, arena => arena.Capacity = 4UL << 20, committed: 2048),
        ["an exabyte of zeros"] = Region(0, arena => arena.Capacity = 1UL << 59, committed: 1UL << 47),
        ["committed pages beyond all"] = Region(0, arena => arena.CommittedPages = ulong.MaxValue >> 4),
        ["length is not the committed pages"] = Region(0, arena => arena.Length += 4096),
        ["two arenas in one place"] =
            parts => parts.ChangeRegions(regions => regions[1].Base = regions[0].Base),
        ["two arenas that overlap"] =
            parts => parts.ChangeRegions(regions => regions[1].Base = regions[0].Base + TwoMiB),
        ["no name"] = Region(0, arena => arena.Name = ""),
        ["name too long"] = Region(0, arena => arena.Name = new string('n', 65)),
        ["name that no mapping can have"] = Region(0, arena => arena.Name = "a\nb"),
        ["name beyond ASCII"] = Region(0, arena => arena.Name = "zweite µ"),
        ["one name twice"] = Region(0, arena => arena.Name = "b"),
        ["id zero"] = Region(0, arena => arena.Id = 0),
        ["id above the limit"] = Region(0, arena => arena.Id = 1U << 30),
        ["id negative"] = Region(0, arena => arena.Id = uint.MaxValue),
        ["one id twice"] = parts => parts.ChangeRegions(regions => regions[1].Id = regions[0].Id),
        ["kind zero"] = Region(0, arena => arena.Kind = 0),
        ["kind unknown"] = Region(0, arena => arena.Kind = 3),
    };

    private static Dictionary<string, Action<ImageParts>> OfBuffers => new()
    {
        ["buffer without name"] = Region(2, buffer => buffer.Name = ""),
        ["buffer with a long name"] = Region(2, buffer => buffer.Name = new string('n', 256)),
        ["buffer with the name of an arena"] = Region(2, buffer => buffer.Name = "a"),
        ["buffer longer than its pages"] = Region(2, buffer => buffer.Length += 8192),
        ["buffer of another capacity"] = Region(2, buffer => buffer.Capacity++),
        ["buffer above the limit"] = Region(
            2, buffer => buffer.Length = buffer.Capacity = (16UL << 40) + 4096, committed: (4UL << 30) + 1),
        ["buffers together above the limit"] = parts => parts.ChangeRegions(regions =>
        {
            ForgedRegion empty =
                regions[2] with { CommittedPages = 4UL << 30, Length = 16UL << 40, ExtentCount = 1 };
            regions.Add(empty with { Id = 100, Name = "first", Capacity = empty.Length });
            regions.Add(empty with { Id = 101, Name = "second", Capacity = empty.Length });
            parts.ChangeExtents(extents => extents.AddRange([Zero(4UL << 30), Zero(4UL << 30)]));
        }),
    };

    private static Dictionary<string, Action<ImageParts>> OfExtents => new()
    {
        ["extent of kind 4"] = Extents(extents => extents[0] = (extents[0] & ~0xFFUL) | 4),
        ["extent of no page"] = Extents(extents => extents[0] &= 0xFF),
        ["extent of 2^56 - 1 pages"] = Extents(extents => extents[^1] |= ~0xFFUL),
        ["extent in a parent that there is not"] = Extents(extents => extents[0] &= ~0xFFUL),
        ["one extent too many"] = Extents(extents => extents.Add(Zero(1))),
        ["one extent too few"] = Extents(extents => extents.RemoveAt(extents.Count - 1)),
        ["extents that leave pages out"] = Extents(extents => extents[0] -= 1 << 8),
        ["more extents than bytes"] = parts => parts.Replace("EXTN", to => to.U64(1UL << 60)),
        ["more regions than bytes"] = parts => Put32(parts.Section("REGN"), 0, uint.MaxValue),
    };

    private static Dictionary<string, Action<ImageParts>> OfBlocks => new()
    {
        ["more blocks than bytes"] = parts => Put64(parts.Section("BLKS"), 0, ulong.MaxValue),
        ["block beyond the file"] = parts => Put64(parts.Section("BLKS"), 8, 1UL << 50),
        ["block off a page"] = parts => Put64(parts.Section("BLKS"), 8, 4097),
        ["block of no bytes"] = parts => Put32(parts.Section("BLKS"), 24, 0),
        ["block of 4 GiB"] = parts => Put32(parts.Section("BLKS"), 24, uint.MaxValue),
        ["block of no page"] = parts => parts.Section("BLKS")[28] = 0,
        ["block of 65 pages"] = parts => parts.Section("BLKS")[28] = 65,
        ["block of an unknown encoding"] = parts => parts.Section("BLKS")[30] = 9,
        ["plain block with elements"] = parts => parts.Section("BLKS")[31] = 8,
        ["block shuffled by 3"] = parts => (parts.Section("BLKS")[30], parts.Section("BLKS")[31]) = (2, 3),
        ["order of other blocks"] = parts => parts.Replace("ORDR", to => to.U64(0)),
        ["no blocks section"] = parts => parts.Replace("BLKS", to => to.U64(0)),
    };

    private static Dictionary<string, Action<ImageParts>> OfMetadata => new()
    {
        ["participant without name"] = Participants((1, 1, "")),
        ["participant with a long name"] = Participants((1, 1, new string('n', 256))),
        ["participant of id zero"] = Participants((0, 1, "p")),
        ["participant of id 2^30"] = Participants((1 << 30, 1, "p")),
        ["participant of kind 9"] = Participants((1, 9, "p")),
        ["one participant twice"] = Participants((1, 1, "p"), (2, 1, "p")),
        ["one participant id twice"] = Participants((1, 1, "p"), (1, 1, "q")),
        ["more participants than bytes"] = parts => Put32(parts.Section("PART"), 0, uint.MaxValue),
        ["one sync handler twice"] = parts => parts.Replace("PART", to =>
        {
            WriteHead(to, 1);
            to.U32(1);
            to.U16(1);
            to.U16(2);
            foreach (string text in (string[])["p", "h", "h"]) to.Text(text);
        }),
        ["async handler without name"] = Named("HNDL", (1, "")),
        ["one async handler twice"] = Named("HNDL", (1, "h"), (2, "h")),
        ["one async handler id twice"] = Named("HNDL", (1, "h"), (1, "i")),
        ["lock owner of id 2^30"] = Owners((1 << 30, 1, "p")),
        ["lock owner of kind 3"] = Owners((1, 3, "p")),
        ["lock owner without name"] = Owners((1, 1, "")),
        ["one lock owner twice"] = Owners((1, 1, "p"), (2, 1, "p")),
        ["one lock owner id twice"] = Owners((1, 1, "p"), (1, 2, "q")),
        ["environment cut off"] = parts => parts.Replace("ENVI", to => to.U16(9)),
        ["environment that is not text"] = parts => parts.Section("ENVI")[2] = 0xFF,
        ["more figures than bytes"] = parts => Put32(parts.Section("FIGR"), 0, uint.MaxValue),
    };

    private static RootDescription Changed(
        RootDescription root, int? regionId = null, string? name = null, string? typeName = null,
        long? count = null,
        long? offset = null) => new(
            regionId ?? root.RegionId, name ?? root.Name, typeName ?? root.TypeName, count ?? root.Count,
            offset ?? root.Offset);

    private static Dictionary<string, Action<ImageParts>> OfRoots => new()
    {
        ["root in no region"] = Root(root => Changed(root, regionId: 77)),
        ["root in a buffer"] = Root(root => Changed(root, regionId: 3)),
        ["root without name"] = Root(root => Changed(root, name: "")),
        ["root without type"] = Root(root => Changed(root, typeName: "")),
        ["root of too many elements"] = Root(root => Changed(root, count: 1L << 40)),
        ["root beyond its arena"] = Root(root => Changed(root, offset: 1L << 40)),
        ["one root twice"] = Root(root => root, times: 2),
    };

    private static Action<ImageParts> Header(int field, ulong value, bool parent) => parts =>
    {
        if (parent)
        {
            parts.Header.AsSpan(ImageFormat.Header.ParentId, 16).Fill(7);
            Put32(parts.Header, ImageFormat.Header.Kind, (uint)GenerationKind.Incremental);
        }

        if (field is ImageFormat.Header.Kind or ImageFormat.Header.BlockPages)
            Put32(parts.Header, field, (uint)value);
        else Put64(parts.Header, field, value);
    };

    /// <summary>
    /// Changes a region; with <paramref name="committed"/> it has so many pages, all of them zero.
    /// </summary>
    private static Action<ImageParts> Region(int index, Action<ForgedRegion> change, ulong committed = 0) =>
        parts => parts.ChangeRegions(regions =>
        {
            int first = (int)regions.Take(index).Sum(region => (long)region.ExtentCount);
            if (committed != 0)
            {
                parts.ChangeExtents(extents =>
                {
                    extents.RemoveRange(first, (int)regions[index].ExtentCount);
                    extents.Insert(first, Zero(committed));
                });
                regions[index].ExtentCount = 1;
                regions[index].CommittedPages = committed;
                regions[index].Length = committed << 12;
            }

            change(regions[index]);
        });

    private static Action<ImageParts> Extents(Action<List<ulong>> change) =>
        parts => parts.ChangeExtents(change);

    private static Action<ImageParts> Participants(params (int Id, int Kind, string Name)[] participants) =>
        parts => parts.Replace("PART", to =>
        {
            WriteHead(to, participants.Length);
            foreach ((int id, int kind, string name) in participants)
            {
                to.U32((uint)id);
                to.U16((ushort)kind);
                to.U16(0);
                to.Text(name);
            }
        });

    private static Action<ImageParts> Owners(params (int Id, int Kind, string Name)[] owners) =>
        parts => parts.Replace("OWNR", to =>
        {
            WriteHead(to, owners.Length);
            foreach ((int id, int kind, string name) in owners)
            {
                to.U32((uint)id);
                to.U16((ushort)kind);
                to.Text(name);
            }
        });

    private static Action<ImageParts> Named(string section, params (int Id, string Name)[] items) =>
        parts => parts.Replace(section, to =>
        {
            WriteHead(to, items.Length);
            foreach ((int id, string name) in items)
            {
                to.U32((uint)id);
                to.Text(name);
            }
        });

    private static Action<ImageParts> Root(Func<RootDescription, RootDescription> change, int times = 1) =>
        parts => parts.Replace("ROOT", to =>
        {
            WriteHead(to, times);
            RootDescription root = change(new RootDescription(1, "answer", "System.Int64", 1, 4096));
            for (int i = 0; i < times; i++)
            {
                to.U32((uint)root.RegionId);
                to.U32(0);
                to.U64((ulong)root.Count);
                to.U64((ulong)root.Offset);
                to.Text(root.Name);
                to.Text(root.TypeName);
            }
        });

    internal static ulong Zero(ulong pages) => pages << 8 | (byte)ExtentKind.Zero;

    private static void WriteHead(FormatWriter to, int count)
    {
        to.U32((uint)count);
        to.U32(0);
    }

    private static void Put32(byte[] bytes, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);

    private static void Put64(byte[] bytes, int at, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), value);
}
