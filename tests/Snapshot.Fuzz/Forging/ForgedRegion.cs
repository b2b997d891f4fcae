using System.Buffers.Binary;
using System.Text;
using Snapshot.Image;

namespace Snapshot.Fuzz.Forging;

/// <summary>An entry of section REGN: whatever is set is written, possible or not.</summary>
internal sealed record ForgedRegion
{
    internal uint Id { get; set; }

    internal byte Kind { get; set; }

    internal byte Flags { get; set; }

    internal ulong Base { get; set; }

    internal ulong CommittedPages { get; set; }

    internal ulong Capacity { get; set; }

    internal ulong Length { get; set; }

    internal ulong ExtentCount { get; set; }

    internal string Name { get; set; } = "";

    internal static List<ForgedRegion> ReadAll(ReadOnlySpan<byte> section)
    {
        List<ForgedRegion> regions = [];
        ReadOnlySpan<byte> at = section[8..];
        for (uint count = BinaryPrimitives.ReadUInt32LittleEndian(section); count > 0; count--)
        {
            int nameBytes = BinaryPrimitives.ReadUInt16LittleEndian(at[48..]);
            regions.Add(new ForgedRegion
            {
                Id = BinaryPrimitives.ReadUInt32LittleEndian(at),
                Kind = at[4],
                Flags = at[5],
                Base = BinaryPrimitives.ReadUInt64LittleEndian(at[8..]),
                CommittedPages = BinaryPrimitives.ReadUInt64LittleEndian(at[16..]),
                Capacity = BinaryPrimitives.ReadUInt64LittleEndian(at[24..]),
                Length = BinaryPrimitives.ReadUInt64LittleEndian(at[32..]),
                ExtentCount = BinaryPrimitives.ReadUInt64LittleEndian(at[40..]),
                Name = Encoding.UTF8.GetString(at.Slice(50, nameBytes)),
            });
            at = at[(50 + nameBytes)..];
        }

        return regions;
    }

    internal static void WriteAll(FormatWriter to, List<ForgedRegion> regions)
    {
        to.U32((uint)regions.Count);
        to.U32(0);
        foreach (ForgedRegion region in regions)
        {
            to.U32(region.Id);
            to.U8(region.Kind);
            to.U8(region.Flags);
            to.U16(0);
            to.U64(region.Base);
            to.U64(region.CommittedPages);
            to.U64(region.Capacity);
            to.U64(region.Length);
            to.U64(region.ExtentCount);
            to.Text(region.Name);
        }
    }
}
