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

    [Fact]
    public void What_is_kept_by_its_number_comes_on_top_of_the_multiple_and_not_of_the_room()
    {
        RetentionPolicy policy = new() { KeepLast = 1, KeepEvery = 2 };
        StoreHoldings now = new StoreHoldings([], [], 0).With(2, null, State).With(4, null, State).With(5, null, State);
        StoreLimits wide = StoreLimits.Of(new StoreOptions { Retention = policy }, State, 3 * State, freeBytes: State);
        Assert.True(new StoreForecast(now, wide, policy).Fits(State));
        StoreLimits tight = wide with { Most = 4 * State - 1 };
        Assert.False(new StoreForecast(now, tight, policy).Fits(State));
        Assert.True(new StoreForecast(now, tight, policy with { KeepEvery = 0 }).Fits(State));
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
