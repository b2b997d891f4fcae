using Snapshot.Fuzz.Forging;
using Snapshot.Storage;

namespace Snapshot.Fuzz.Targets;

/// <summary>
/// A half of a manifest, from its first byte on, whose checksums are right; read as either half.
/// </summary>
internal sealed class ManifestTarget() : FuzzTarget(
    "manifest", SnapshotErrorCode.UnsupportedFormat, SnapshotErrorCode.ChainBroken)
{
    protected override byte[][] Expand(byte[] input)
    {
        byte[] half = new byte[ManifestHalf.HalfBytes];
        input.AsSpan(0, Math.Min(input.Length, half.Length)).CopyTo(half);
        ManifestSeal.Mend(half);
        return [half];
    }

    protected override void Read(byte[][] files)
    {
        for (int number = 0; number < 2; number++)
        {
            if (ManifestHalf.Decode(files[0], number, "manifest") is { } state) CheckState(state, number);
        }
    }

    private static void CheckState(ManifestState state, int number)
    {
        Require(state.Half == number && state.Sequence >= 1, "a state is in the half of its sequence");
        ManifestEntry[] counting = [.. state.Entries.Where(entry => !entry.IsRetired)];
        for (int i = 0; i < counting.Length; i++)
        {
            Require(i == 0 || counting[i].Generation > counting[i - 1].Generation, "generations ascend");
            _ = counting[i].ToInfo();
        }

        int files = state.Entries.Select(entry => entry.FileName).Distinct().Count();
        Require(files == state.Entries.Count, "no file is listed twice");

        byte[] again = new byte[ManifestHalf.HalfBytes];
        ManifestHalf.Encode(state, again);
        ManifestState? read = ManifestHalf.Decode(again, number, "manifest");
        Require(read is not null &&
            read.Entries.SequenceEqual(state.Entries), "what was read can be written and read");
        if (counting.Length > 0) _ = GenerationChain.Follow(counting, counting[^1], "store");
    }
}
