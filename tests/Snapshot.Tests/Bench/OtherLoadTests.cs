using Snapshot.Bench;
using Xunit;

namespace Snapshot.Tests.Bench;

/// <summary>What a bench takes for a busy machine.</summary>
public sealed class OtherLoadTests
{
    private static readonly OtherLoadLook s_before =
        At("cpu  100 20 30 900 7 1 2 3 50 0", own: 1, seconds: 10);

    [Fact]
    public void Idle_and_waiting_processors_are_nobodys() => Assert.Equal(
        0, OtherLoad.Between(s_before, At("cpu  100 20 30 1100 90 1 2 3 50 0", own: 1, seconds: 11)), 6);

    [Fact]
    public void What_the_bench_itself_takes_is_not_others() => Assert.Equal(
        0, OtherLoad.Between(s_before, At("cpu  300 20 30 900 7 1 2 3 50 0", own: 3, seconds: 11)), 6);

    [Theory]
    [InlineData("cpu  200 20 30 900 7 1 2 3 50 0")]
    [InlineData("cpu  100 120 30 900 7 1 2 3 50 0")]
    [InlineData("cpu  100 20 130 900 7 1 2 3 50 0")]
    [InlineData("cpu  100 20 30 900 7 51 52 3 50 0")]
    [InlineData("cpu  100 20 30 900 7 1 2 103 50 0")]
    public void A_second_of_work_of_others_in_two_is_half_a_processor(string stat) =>
        Assert.Equal(0.5, OtherLoad.Between(s_before, At(stat, own: 1, seconds: 12)), 6);

    [Fact]
    public void A_quarter_of_a_processor_is_borne_and_more_is_refused()
    {
        OtherLoad.ThrowIfBusy(OtherLoad.ProcessorsMost);
        RequirementException refused = Assert.Throws<RequirementException>(() => OtherLoad.ThrowIfBusy(0.96));
        Assert.StartsWith("Other processes take 1.0 of ", refused.Message, StringComparison.Ordinal);
    }

    private static OtherLoadLook At(string stat, double own, double seconds) =>
        new(stat, TimeSpan.FromSeconds(own), TimeSpan.FromSeconds(seconds));
}
