using Snapshot.Storage;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>
/// Images with right checksums and an index that cannot be: each is told as damage, with file and offset, by
/// whatever opens it, and a restart gets past it.
/// </summary>
public sealed class ImpossibleContentTests
{
    public static TheoryData<string> Rows => [.. ImpossibleContent.All.Keys];

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Impossible_content_is_damage_and_a_restart_gets_past_it(string row)
    {
        using ForgedStore forged = new(ImpossibleContent.All[row]);
        using (SnapshotStore store = forged.OpenReadOnly())
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            SnapshotException error = Assert.Throws<SnapshotException>(() => store.Describe(2));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
            ForgedStore.AssertIsDamageOf(forged.File, error);
            Assert.NotNull(error.Offset);
            VerifyProblem problem = Assert.Single((await store.VerifyAsync()).Problems);
            Assert.Equal((2, error.Code, error.Message), (problem.Generation, problem.Code, problem.Message));
        }

        forged.AssertRestartGetsPast();
    }

    [Fact]
    public void What_is_not_forged_is_restarted_from()
    {
        using ForgedStore copied = new(_ => { });
        using SnapshotSession session = copied.Restart(allowOlder: true);
        Assert.Equal(2, session.Restarted!.Generation);
    }

    [Fact]
    public void A_terabyte_of_zeros_in_a_buffer_costs_nothing()
    {
        const long Terabyte = 1L << 40;
        using ForgedStore forged = new(parts => parts.ChangeRegions(regions =>
        {
            regions.Add(regions[2] with
            {
                Id = 100,
                Name = "zeros",
                CommittedPages = Terabyte >> 12,
                Length = Terabyte,
                Capacity = Terabyte,
                ExtentCount = 1,
            });
            parts.ChangeExtents(extents => extents.Add(ImpossibleContent.Zero(Terabyte >> 12)));
        }));
        long before = Environment.WorkingSet;
        using SnapshotSession session = forged.Restart(allowOlder: false);
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 256 << 20);
        Assert.True(session.DropRestoredBuffer("zeros"));
    }

    /// <summary>
    /// An arena may well be like this, and its restart is in proportion to what the image has of it.
    /// </summary>
    [Fact]
    public unsafe void A_terabyte_of_zeros_in_an_arena_costs_little()
    {
        using Session.TemporaryStore store = new();
        using (SnapshotSession first = SnapshotSession.Open(store.Path))
        {
            Arena sparse =
                first.OpenArena("sparse", new ArenaOptions { Capacity = 2L << 40, HugePages = false });
            sparse.Allocate(1L << 40);
            first.RequestCheckpoint().WaitCommittedInThread();
        }

        long before = Environment.WorkingSet;
        using SnapshotSession session = SnapshotSession.Restart(store.Path);
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 1L << 30);
    }
}
