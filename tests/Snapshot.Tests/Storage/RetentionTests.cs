using CsCheck;
using Snapshot.Image;
using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Storage;

public sealed class RetentionTests
{
    private static readonly DateTimeOffset s_now = new(2025, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_is_kept_is_wanted_or_needed_and_needs_nothing_that_is_gone() =>
        Gen.Select(Gen.Int[0, 6].Array[0, 40], Gen.Int[1, 5], Gen.Int[0, 4], Gen.Int[0, 50]).Sample(
            (parents, keepLast, keepEvery, maxAgeHours) =>
            {
                List<ManifestEntry> entries = [.. parents.Select((back, index) =>
                    Entry(index + 1, back == 0 || index < back ? null : index + 1 - back))];
                RetentionPolicy policy = new()
                {
                    KeepLast = keepLast,
                    KeepEvery = keepEvery,
                    MaxAge = maxAgeHours == 0 ? null : TimeSpan.FromHours(maxAgeHours),
                };
                HashSet<long> deleted =
                    [.. Retention.Deletable(entries, policy, s_now, []).Select(entry => entry.Generation)];
                List<ManifestEntry> kept = [.. entries.Where(entry => !deleted.Contains(entry.Generation))];
                Assert.All(
                    kept,
                    entry => Assert.False(entry.Parent is { } parent && deleted.Contains(parent.Generation)));
                Assert.All(entries.TakeLast(keepLast), entry => Assert.Contains(entry, kept));
                foreach (ManifestEntry entry in kept)
                {
                    bool wanted = entry.Generation > entries.Count - keepLast
                        || (keepEvery > 0 && entry.Generation % keepEvery == 0
                            &&
                            (maxAgeHours == 0 || s_now - entry.Created <= TimeSpan.FromHours(maxAgeHours)));
                    Assert.True(
                        wanted || kept.Any(child => child.Parent?.Generation == entry.Generation),
                        $"{entry.Generation} is kept for no reason");
                }
            },
            seed: "0N0XIzNsQ0O2",
            iter: 2000);

    [Fact]
    public void What_an_image_being_written_needs_is_kept()
    {
        List<ManifestEntry> entries = [Entry(1, null), Entry(2, 1), Entry(3, null)];
        Assert.Equal(
            [1L, 2L],
            Retention.Deletable(entries, new RetentionPolicy { KeepLast = 1 }, s_now, [])
                .Select(entry => entry.Generation));
        Assert.Empty(Retention.Deletable(entries, new RetentionPolicy { KeepLast = 1 }, s_now, [2]));
    }

    [Fact]
    public void Impossible_policies_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetentionPolicy { KeepLast = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetentionPolicy { KeepEvery = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new RetentionPolicy { MaxAge = TimeSpan.FromTicks(-1) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new StoreOptions { ChainLengthMax = 0 });
        Assert.Throws<ArgumentNullException>(() => new StoreOptions { Retention = null! });
    }

    private static ManifestEntry Entry(int generation, int? parent) => new(
        new Guid(generation, 0, 0, new byte[8]), generation,
        parent is { } number ? new ImageLink(new Guid(number, 0, 0, new byte[8]), number) : null,
        4096, 0, s_now.AddHours(generation - 45), 0);
}
