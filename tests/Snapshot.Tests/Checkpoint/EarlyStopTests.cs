using Snapshot.Checkpoint;
using Xunit;

namespace Snapshot.Tests.Checkpoint;

public sealed class EarlyStopTests
{
    private const long Many = 10 * EarlyStop.LeastPages;

    [Fact]
    public void It_is_made_where_there_is_much_to_copy()
    {
        EarlyStop stop = new();
        Assert.False(stop.Pays(EarlyStop.LeastPages - 1));
        Assert.True(stop.Pays(EarlyStop.LeastPages));
    }

    [Fact]
    public void One_that_spared_half_of_the_copies_is_made_again()
    {
        EarlyStop stop = new();
        for (int checkpoint = 0; checkpoint < 20; checkpoint++)
        {
            Assert.True(stop.Pays(Many));
            stop.Observe(copied: Many / 2);
        }
    }

    [Fact]
    public void After_one_that_did_not_pay_some_checkpoints_do_without()
    {
        EarlyStop stop = new();
        for (int again = 0; again < 3; again++)
        {
            Assert.True(stop.Pays(Many));
            stop.Observe(copied: Many / 2 + 1);
            for (int rest = 0; rest < EarlyStop.Rest; rest++)
            {
                Assert.False(stop.Pays(Many));
                stop.Observe(copied: Many);
            }
        }
    }

    [Fact]
    public void A_checkpoint_with_few_pages_neither_rests_nor_teaches()
    {
        EarlyStop stop = new();
        Assert.False(stop.Pays(1));
        stop.Observe(copied: Many);
        Assert.True(stop.Pays(Many));
    }
}
