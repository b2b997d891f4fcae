using Snapshot.Image;
using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Storage;

/// <summary>Which image comes next, played through in numbers: no bytes are written.</summary>
public sealed class StoreForecastTests
{
    private const long State = 1000L << 20;

    [Theory]
    [InlineData(1, 3.0)]
    [InlineData(2, 3.0)]
    [InlineData(3, 3.0)]
    [InlineData(5, 10.0)]
    [InlineData(1, 2.0)]
    public void Whatever_changes_each_time_the_bound_holds_and_nothing_stalls(int keepLast, double multiple)
    {
        for (int percent = 1; percent <= 100; percent++)
        {
            StoreOptions options = new()
            {
                Retention = new RetentionPolicy { KeepLast = keepLast },
                MaxStateMultiple = multiple,
            };
            long increment = State / 100 * percent;
            double most = Math.Max(multiple, keepLast + 1) * State;
            StoreHoldings now = new([], [], 0);
            for (long generation = 1; generation <= 300; generation++)
            {
                StoreForecast forecast = new(
                    now, StoreLimits.Of(options, State, now.ListedBytes, freeBytes: null), options.Retention);
                ManifestEntry? parent = now.Entries is [.., ManifestEntry newest] ? newest : null;
                bool isIncrement = parent is not null
                    && forecast.GoesOnAfterIncrement(generation, parent, increment, State);
                long bytes = isIncrement ? increment : State;
                Assert.True(
                    now.ListedBytes + bytes <= most,
                    $"{percent} %, generation {generation}: {now.ListedBytes} and {bytes} more");
                now = now.With(generation, isIncrement ? parent : null, bytes);
                now = now with { Entries = now.KeptBy(options.Retention) };
            }

            Assert.True(now.Entries.Count >= keepLast);
        }
    }

    [Theory]
    [InlineData(2000)]
    [InlineData(int.MaxValue)]
    public void A_policy_that_keeps_thousands_is_foretold_as_fast_as_one_that_keeps_two(int keepLast)
    {
        // Played through image by image this took minutes a checkpoint, and for ever with the second.
        const long increment = State / 100;
        RetentionPolicy policy = new() { KeepLast = keepLast };
        StoreHoldings now = new StoreHoldings([], [], 0).With(1, null, State);
        for (long generation = 2; generation <= 2000; generation++)
            now = now.With(generation, generation % 20 == 0 ? null : now.Entries[^1], increment);
        ManifestEntry newest = now.Entries[^1];
        StoreForecast wide = new(now, new StoreLimits(long.MaxValue, long.MaxValue), policy);
        Assert.True(wide.GoesOnAfterIncrement(2001, newest, increment, State));
        Assert.False(wide.AsksForMoreThanThereIs(increment, State));
        StoreForecast tight = new(now, new StoreLimits(long.MaxValue, 20 * State), policy);
        Assert.False(tight.GoesOnAfterIncrement(2001, newest, increment, State));
        Assert.True(tight.AsksForMoreThanThereIs(increment, State));
        string advice = RoomAdvice.For(
            State, 0, now, new StoreOptions { Retention = policy });
        Assert.Contains("KeepLast =", advice, StringComparison.Ordinal);
    }

    [Fact]
    public void The_bytes_kept_are_those_of_the_images_that_the_policy_keeps()
    {
        Random random = new(12);
        for (int store = 0; store < 3000; store++)
        {
            RetentionPolicy policy = new()
            {
                KeepLast = random.Next(1, 6),
                KeepEvery = random.Next(4) == 0 ? random.Next(1, 5) : 0,
                KeepPassedOver = random.Next(2) == 0,
            };
            StoreHoldings now = Grown(random, policy);
            ManifestEntry? parent = now.Entries.Count > 0 && random.Next(3) > 0 ? now.Entries[^1] : null;
            KeptBytes kept = new(now, policy, parent);
            CompareKept(now, policy, kept);
            long generation = now.Entries.Count == 0 ? 1 : now.Entries[^1].Generation + 1;
            for (int commit = 0; commit < 12; commit++, generation++)
            {
                long bytes = random.Next(1, 1000);
                bool isFull = commit == 0 ? parent is null : commit % 6 == 5;
                if (isFull) kept.CommitFull(generation, bytes);
                else _ = kept.Commit(generation, bytes);
                now = now.With(generation, isFull ? null : now.Entries[^1], bytes);
                now = now with { Entries = now.KeptBy(policy) };
                CompareKept(now, policy, kept);
            }
        }
    }

    private static void CompareKept(StoreHoldings now, RetentionPolicy policy, KeptBytes kept)
    {
        Assert.Equal(now.KeptBy(policy).Sum(entry => entry.FileLength), kept.All);
        List<ManifestEntry> newest = (now with { Floor = long.MaxValue }).KeptBy(
            new RetentionPolicy
            {
                KeepLast = policy.KeepLast,
                MaxAge = policy.MaxAge,
                KeepPassedOver =
                false
            });
        Assert.Equal(newest.Sum(entry => entry.FileLength), kept.Newest);
    }

    /// <summary>A store that went on from older generations now and then.</summary>
    private static StoreHoldings Grown(Random random, RetentionPolicy policy)
    {
        StoreHoldings now = new([], [], 0);
        for (long generation = 1, last = random.Next(12); generation <= last; generation++)
        {
            List<ManifestEntry> standing = [.. now.Entries.Where(entry => !entry.IsPassedOver)];
            ManifestEntry? parent =
                standing.Count == 0 || random.Next(4) == 0 ? null : standing[random.Next(standing.Count)];
            if (parent is not null)
            {
                now = now with
                {
                    Entries = [.. now.Entries.Select(entry => entry.Generation > parent.Generation
                        ? entry with { Flags = EntryFlags.PassedOver }
                        : entry)],
                };
            }

            now = now.With(generation, parent, random.Next(1, 1000));
            if (random.Next(3) == 0) now = now with { Entries = now.KeptBy(policy) };
        }

        if (random.Next(3) == 0) now = now with { Floor = random.Next(14) };
        return random.Next(3) == 0 && now.Entries.Count > 0
            ? now with { Needed = [now.Entries[random.Next(now.Entries.Count)].Generation] }
            : now;
    }

    [Fact]
    public void What_is_kept_by_its_number_comes_on_top_of_the_multiple_and_not_of_the_room()
    {
        RetentionPolicy policy = new() { KeepLast = 1, KeepEvery = 2 };
        StoreHoldings now = new StoreHoldings([], [], 0).With(2, null, State).With(4, null, State).With(
            5, null, State);
        StoreLimits wide =
            StoreLimits.Of(new StoreOptions { Retention = policy }, State, 3 * State, freeBytes: State);
        Assert.True(new StoreForecast(now, wide, policy).Fits(State));
        StoreLimits tight = wide with { Most = 4 * State - 1 };
        Assert.False(new StoreForecast(now, tight, policy).Fits(State));
        Assert.True(new StoreForecast(now, tight, policy.With(keepEvery: 0)).Fits(State));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 20)]
    [InlineData(3, 60)]
    public void What_is_held_changes_no_image_but_takes_its_room(int keepLast, int percent)
    {
        StoreOptions options = new() { Retention = new RetentionPolicy { KeepLast = keepLast } };
        long increment = State / 100 * percent;
        StoreHoldings free = new([], [], 0), held = free;
        for (long generation = 1; generation <= 100; generation++)
        {
            (free, bool isFree) = Next(free, generation);
            (held, bool isHeld) = Next(held with { Floor = 0 }, generation);
            Assert.True(isFree == isHeld, $"generation {generation}");
        }

        Assert.Equal(100, held.Entries.Count);
        StoreForecast tight = new(
            held with { Floor = 0 }, new StoreLimits(long.MaxValue, held.ListedBytes), options.Retention);
        Assert.False(tight.FitsMost(1));

        (StoreHoldings Then, bool IsIncrement) Next(StoreHoldings now, long generation)
        {
            StoreForecast forecast = new(
                now, StoreLimits.Of(options, State, now.ListedBytes, freeBytes: null), options.Retention);
            ManifestEntry? parent = now.Entries is [.., ManifestEntry newest] ? newest : null;
            bool isIncrement =
                parent is not null && forecast.GoesOnAfterIncrement(generation, parent, increment, State);
            StoreHoldings then =
                now.With(generation, isIncrement ? parent : null, isIncrement ? increment : State)
                    with
                { Floor = now.Floor };
            return (then with { Entries = then.KeptBy(options.Retention) }, isIncrement);
        }
    }

    [Fact]
    public void An_increment_is_foretold_from_those_before_it()
    {
        ImageEstimate estimate = new();
        Assert.InRange(estimate.Bytes(1000), 1000 * 4096, 1.02 * 1000 * 4096);

        // A quarter as large when it is stored, and of the pages tracked half had changed.
        estimate.Learn(1000, 500, new ImageSummary(500 * 1024, 1, 500, 500 * 1024, 8));
        Assert.InRange(estimate.Bytes(1000), 500 * 1024, 600 * 1024);
    }

    [Fact]
    public void The_limits_of_a_store_are_checked_when_they_are_set()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new StoreOptions { MaxStateMultiple = 1.9 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new StoreOptions { MaxStateMultiple = double.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => new StoreOptions { MaxBytes = 1000 });
    }
}
