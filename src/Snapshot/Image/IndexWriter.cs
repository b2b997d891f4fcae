using Snapshot.Base;
using static Snapshot.Image.ImageFormat;

namespace Snapshot.Image;

/// <summary>Builds the index of an image.</summary>
internal static class IndexWriter
{
    internal static FormatWriter Write(
        ulong headerChecksum, List<WrittenBlock> blocks, StreamOrder order, List<WrittenRegion> regions,
        List<ulong> extents, ImageMetadata metadata)
    {
        FormatWriter to = new();
        to.Bytes(IndexMagic);
        to.U64(headerChecksum);
        to.U32(0);
        to.U32(0);
        to.U64(0);
        uint sections = 0;
        Add(Section.Blocks, true, () => WriteBlocks(to, blocks, order.Sequences));
        if (order.NumbersInFile() is { } numbers)
            Add(Section.FileOrder, true, () => WriteFileOrder(to, numbers));
        if (HighestEncoding(blocks) is var highest and > StoredEncoding.ShuffleLz4)
            Add(Section.HighestEncoding, true, () => WriteHighestEncoding(to, highest));
        Add(Section.Regions, true, () => WriteRegions(to, regions));
        Add(Section.Extents, true, () => WriteExtents(to, extents));
        Add(Section.Roots, false, () => WriteRoots(to, metadata.Roots));
        Add(Section.Participants, true, () => WriteParticipants(to, metadata.Participants));
        Add(Section.AsyncHandlers, true, () => WriteHandlers(to, metadata.AsyncHandlers));
        if (metadata.Owners.Count > 0) Add(Section.LockOwners, true, () => WriteOwners(to, metadata.Owners));
        if (metadata.Environment is { } environment)
            Add(Section.Environment, false, () => WriteEnvironment(to, environment));
        Add(Section.Figures, false, () => WriteFigures(to, metadata.Figures));
        to.PatchU32(16, sections);
        to.PatchU64(24, (ulong)to.Length);
        to.PadTo(PageSize);
        return to;

        void Add(uint id, bool required, Action write)
        {
            to.BeginSection(id, required);
            write();
            to.EndSection();
            sections++;
        }
    }

    private static void WriteBlocks(FormatWriter to, List<WrittenBlock> blocks, List<int> sequences)
    {
        to.U64((ulong)blocks.Count);
        foreach (int sequence in sequences)
        {
            WrittenBlock block = blocks[sequence];
            to.U64((ulong)block.Offset);
            to.U64(block.Checksum);
            to.U32((uint)block.StoredLength);
            to.U16(block.PageCount);
            to.U8((byte)block.Encoding);
            to.U8(block.ElementSize);
        }
    }

    private static void WriteFileOrder(FormatWriter to, int[] numbers)
    {
        to.U64((ulong)numbers.Length);
        foreach (int number in numbers) to.U32((uint)number);
    }

    private static StoredEncoding HighestEncoding(List<WrittenBlock> blocks)
    {
        StoredEncoding highest = StoredEncoding.Plain;
        foreach (WrittenBlock block in blocks) highest = block.Encoding > highest ? block.Encoding : highest;
        return highest;
    }

    private static void WriteHighestEncoding(FormatWriter to, StoredEncoding highest)
    {
        to.U32((uint)highest);
        to.U32(0);
    }

    private static void WriteRegions(FormatWriter to, List<WrittenRegion> regions)
    {
        to.U32((uint)regions.Count);
        to.U32(0);
        foreach (WrittenRegion written in regions)
        {
            RegionDescription region = written.Description;
            to.U32((uint)region.Id);
            to.U8((byte)region.Kind);
            to.U8(region.HugePages ? (byte)1 : (byte)0);
            to.U16(0);
            to.U64(region.BaseAddress);
            to.U64((ulong)region.CommittedPages);
            to.U64((ulong)region.CapacityBytes);
            to.U64((ulong)region.ByteLength);
            to.U64((ulong)written.ExtentCount);
            to.Text(region.Name);
        }
    }

    private static void WriteExtents(FormatWriter to, List<ulong> extents)
    {
        to.U64((ulong)extents.Count);
        foreach (ulong extent in extents) to.U64(extent);
    }

    private static void WriteRoots(FormatWriter to, IReadOnlyList<RootDescription> roots)
    {
        to.U32((uint)roots.Count);
        to.U32(0);
        foreach (RootDescription root in roots)
        {
            to.U32((uint)root.RegionId);
            to.U32(0);
            to.U64((ulong)root.Count);
            to.U64((ulong)root.Offset);
            to.Text(root.Name);
            to.Text(root.TypeName);
        }
    }

    private static void WriteParticipants(FormatWriter to, IReadOnlyList<ParticipantDescription> participants)
    {
        to.U32((uint)participants.Count);
        to.U32(0);
        foreach (ParticipantDescription participant in participants)
        {
            to.U32((uint)participant.Id);
            to.U8((byte)participant.Kind);
            to.U8(0);
            to.U16(checked((ushort)participant.Handlers.Count));
            to.Text(participant.Name);
            foreach (string handler in participant.Handlers) to.Text(handler);
        }
    }

    private static void WriteHandlers(FormatWriter to, IReadOnlyList<HandlerDescription> handlers)
    {
        to.U32((uint)handlers.Count);
        to.U32(0);
        foreach (HandlerDescription handler in handlers)
        {
            to.U32((uint)handler.Id);
            to.Text(handler.Name);
        }
    }

    private static void WriteOwners(FormatWriter to, IReadOnlyList<LockOwnerDescription> owners)
    {
        to.U32((uint)owners.Count);
        to.U32(0);
        foreach (LockOwnerDescription owner in owners)
        {
            to.U32((uint)owner.Id);
            to.U8((byte)owner.Kind);
            to.U8(0);
            to.Text(owner.Name);
        }
    }

    private static void WriteEnvironment(FormatWriter to, EnvironmentDescription environment)
    {
        to.Text(environment.LibraryVersion);
        to.Text(environment.RuntimeVersion);
        to.Text(environment.OperatingSystem);
        to.Text(environment.Architecture);
        to.Text(environment.MachineName ?? "");
        to.Text(environment.ProcessCommand ?? "");
    }

    private static void WriteFigures(FormatWriter to, IReadOnlyList<KeyValuePair<string, string>> figures)
    {
        to.U32((uint)figures.Count);
        to.U32(0);
        foreach ((string name, string value) in figures)
        {
            to.Text(name);
            to.Text(value);
        }
    }
}
