using Snapshot.Image;
using Snapshot.Tests.Image;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Session;
using Xunit;

namespace Snapshot.Tests.Restart;

/// <summary>What an eager restart would have refused is refused when it is found, and never read.</summary>
[Needs(Capability.PagesOnDemand)]
public sealed class LazyDamageTests
{
    [MachineFact]
    public async Task Damage_found_while_streaming_fails_the_session_with_the_words_of_an_eager_restart()
    {
        using LazyStore store = new(seed: 21, images: 1);
        Damage(store.Path, image: 0);
        string eager = WordsOfAnEagerRestart(store);
        await using SnapshotSession session = SnapshotSession.Open(store.Path, LazyStore.Lazily);
        SnapshotException found = await Assert.ThrowsAsync<SnapshotException>(
            () => session.Restarted!.Residency.Completed);
        Assert.Equal(SnapshotErrorCode.Corrupt, found.Code);
        Assert.Equal(eager, found.Message);
        foreach (Func<object> use in (Func<object>[])[
            () => session.CheckpointAsync().GetAwaiter().GetResult(), () => session.Attach("late")])
        {
            SnapshotException error = Assert.Throws<SnapshotException>(use);
            Assert.Equal(SnapshotErrorCode.RestartFailed, error.Code);
            Assert.Contains(eager, error.Message, StringComparison.Ordinal);
        }
    }

    [MachineFact]
    public void A_participant_that_runs_when_damage_is_found_is_told_at_its_next_safepoint()
    {
        using LazyStore store = new(seed: 22, images: 1);
        Damage(store.Path, image: 0);
        using SnapshotSession session = store.RestartOnDemand();
        using Participant me = session.Attach("worker");
        me.Poll();

        // To exclude pages they must be there: this finds the damage as streaming would.
        Arena arena = session.OpenArena("a");
        SnapshotException found =
            Assert.Throws<SnapshotException>(() => arena.Exclude(LazyStore.Cells(session)));
        Assert.Equal(SnapshotErrorCode.Corrupt, found.Code);
        Assert.Equal(
            SnapshotErrorCode.RestartFailed, Assert.Throws<SnapshotException>(() => me.Poll()).Code);
    }

    [MachineFact]
    public void A_thread_that_touches_damage_ends_the_process_with_the_words_of_an_eager_restart()
    {
        using LazyStore store = new(seed: 23, images: 1);
        Damage(store.Path, image: 0);
        string eager = WordsOfAnEagerRestart(store);
        using TestProgram program = new("lazy-touch", store.Path);
        (int exitCode, string output, string error) = program.WaitForEnd();
        Assert.NotEqual(0, exitCode);
        Assert.Contains(eager, error, StringComparison.Ordinal);
        Assert.Equal("touching\n", output);
    }

    [MachineFact]
    public void Damage_of_what_is_read_before_the_session_begins_is_an_error_or_leads_to_an_older_generation()
    {
        using LazyStore store = new(seed: 24, images: 3);

        // The first block of the page stream holds the header of the arena, wherever it lies in the file.
        Damage(store.Path, image: 2, first: true);
        string eager = WordsOfAnEagerRestart(store);
        SnapshotException error = Assert.Throws<SnapshotException>(
            () => SnapshotSession.Open(store.Path, LazyStore.Lazily));
        Assert.Equal(eager, error.Message);
        using SnapshotSession older = SnapshotSession.Restart(
            store.Path,
            new SnapshotOptions
            {
                Restart =
                new RestartOptions { AllowOlderGeneration = true, Fill = RestartFill.Lazy }
            });
        Assert.Equal(2, older.Restarted!.Generation);
        Assert.Equal(3, Assert.Single(older.Restarted.Skipped).Generation);
    }

    [MachineFact]
    public async Task An_image_that_is_cut_off_while_it_is_read_is_an_error()
    {
        using LazyStore store = new(seed: 25, images: 1);
        SnapshotSession session = store.RestartOnDemand();
        await using (session)
        {
            using (FileStream file = new(
                Directory.GetFiles(store.Path, "*.snapshot").Single(), FileMode.Open))
                file.SetLength(4096);
            Arena arena = session.OpenArena("a");
            SnapshotException found =
                Assert.Throws<SnapshotException>(() => arena.Exclude(LazyStore.Cells(session)));
            Assert.Equal(SnapshotErrorCode.StoreIo, found.Code);
        }
    }

    /// <summary>Flips a bit in the first block of an image, or in one in the middle.</summary>
    private static string WordsOfAnEagerRestart(LazyStore store) =>
        Assert.Throws<SnapshotException>(() => SnapshotSession.Open(store.Path, LazyStore.Eagerly)).Message;

    private static void Damage(string store, int image, bool first = false)
    {
        string path = Directory.GetFiles(store, "*.snapshot").Order().ElementAt(image);
        long block;
        using (ImageReader reader = ImageReader.Open(new MemoryFile(File.ReadAllBytes(path))))
            block = reader.Blocks[0].Offset;
        using FileStream file = new(path, FileMode.Open);
        file.Position = first ? block + 100 : file.Length / 2;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 4));
    }
}
