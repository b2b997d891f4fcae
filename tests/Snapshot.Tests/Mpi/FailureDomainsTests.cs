using Snapshot.Mpi.Levels;
using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Mpi;

/// <summary>Who keeps whose copies, and what is sent.</summary>
public sealed class FailureDomainsTests
{
    [Theory]
    [InlineData(new ulong[] { 7, 7, 9, 9 }, new[] { 2, 3, 0, 1 })]
    [InlineData(new ulong[] { 7, 9, 7, 9 }, new[] { 1, 0, 3, 2 })]
    [InlineData(new ulong[] { 1, 1, 1, 2 }, new[] { 3, 3, 3, 0 })]
    [InlineData(new ulong[] { 1, 2, 2, 3 }, new[] { 1, 3, 3, 0 })]
    public void The_keeper_is_of_the_next_domain(ulong[] names, int[] keepers)
    {
        FailureDomains domains = new(names);
        Assert.Equal(keepers, Enumerable.Range(0, names.Length).Select(domains.KeeperOf));
        for (int rank = 0; rank < names.Length; rank++)
        {
            Assert.NotEqual(names[rank], names[domains.KeeperOf(rank)]);
            Assert.Equal(
                Enumerable.Range(0, names.Length).Where(other => keepers[other] == rank),
                domains.KeptBy(rank));
        }

        Assert.Equal(names.Distinct().Count(), domains.Count);
        Assert.Equal(
            domains.Count, Enumerable.Range(0, names.Length).Count(domains.IsFirstOfItsDomain));
    }

    [Fact]
    public void What_a_store_lacks_of_a_chain_is_sent_and_all_of_it_where_the_order_would_be_lost()
    {
        StoredImage[] chain = [Image(3), Image(5), Image(8)];
        Assert.Equal((0, false), ImagePlan.Missing(chain, []));
        Assert.Equal((1, false), ImagePlan.Missing(chain, [Image(3)]));
        Assert.Equal((2, false), ImagePlan.Missing(chain, [Image(1), Image(3), Image(5)]));
        Assert.Equal((3, false), ImagePlan.Missing(chain, [Image(3), Image(5), Image(8), Image(9)]));
        Assert.Equal((0, true), ImagePlan.Missing(chain, [Image(4)]));
        Assert.Equal((0, true), ImagePlan.Missing(chain, [Image(3), Image(6)]));
        Assert.Equal((0, true), ImagePlan.Missing(chain, [Image(3), Image(5, other: true)]));
    }

    private static StoredImage Image(long generation, bool other = false) =>
        new(generation, new Guid((int)generation, 0, 0, [0, 0, 0, 0, 0, 0, 0, other ? (byte)1 : (byte)0]),
            0, default, 4096, 1, 0);
}
