using System.Buffers.Binary;
using System.Security.Cryptography;
using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.TestPrograms;

/// <summary>
/// What every tracker promises, each promise as a method that throws when it is broken: run by the contract
/// suite in its own process, and by a program that runs as an ordinary user.
/// </summary>
internal static class TrackerScenarios
{
    private const long HugePages = Pages.HugeSize / Pages.Size;

    /// <summary>All of them, by name.</summary>
    internal static IReadOnlyDictionary<string, Action<Func<MemoryRegion, DirtyTracker>>> All { get; } =
        new Dictionary<string, Action<Func<MemoryRegion, DirtyTracker>>>
        {
            [nameof(FirstCollectHoldsWhatWasThere)] = FirstCollectHoldsWhatWasThere,
            [nameof(SecondCollectIsEmpty)] = SecondCollectIsEmpty,
            [nameof(CollectHoldsExactlyTheWrittenPages)] = CollectHoldsExactlyTheWrittenPages,
            [nameof(PopulatedAfterCreationIsSeen)] = PopulatedAfterCreationIsSeen,
            [nameof(UnusedMemoryStaysUnused)] = UnusedMemoryStaysUnused,
            [nameof(WriteAfterOnlyReadingIsSeen)] = WriteAfterOnlyReadingIsSeen,
            [nameof(ReadFromPipeIsSeen)] = ReadFromPipeIsSeen,
            [nameof(ReadFromFileIsSeen)] = ReadFromFileIsSeen,
            [nameof(DroppedRunsAreReported)] = DroppedRunsAreReported,
            [nameof(WriteAfterDropIsSeen)] = WriteAfterDropIsSeen,
            [nameof(GivenBackPagesComeAgainOnce)] = GivenBackPagesComeAgainOnce,
            [nameof(GrowthIsTracked)] = GrowthIsTracked,
            [nameof(HugePagesAreTracked)] = HugePagesAreTracked,
            [nameof(ArmForgets)] = ArmForgets,
            [nameof(OpenForDevicesIsInEveryCollect)] = OpenForDevicesIsInEveryCollect,
            [nameof(CountingRearmsNothing)] = CountingRearmsNothing,
            [nameof(CollectAllocatesNothing)] = CollectAllocatesNothing,
            [nameof(ManyScatteredPagesAreFound)] = ManyScatteredPagesAreFound,
            [nameof(ConcurrentWriterLosesNoPage)] =
                create => ConcurrentWriterLosesNoPage(create, seed: 20_260_101),
        };

    /// <summary>Those in which a system call writes the memory.</summary>
    internal static IReadOnlyCollection<string> WithSystemCalls { get; } =
        [nameof(ReadFromPipeIsSeen), nameof(ReadFromFileIsSeen), nameof(ConcurrentWriterLosesNoPage)];

    internal static void FirstCollectHoldsWhatWasThere(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = new(2048, 1024);
        memory.Page(3)[0] = 1;
        memory.Page(700)[4095] = 1;
        using DirtyTracker tracker = create(memory);
        using PageBitmap changed = Collect(tracker, memory);
        Claim(
            changed.Contains(3) && changed.Contains(700),
            "pages written before tracking began are in the first collect");
    }

    internal static void SecondCollectIsEmpty(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(1024, 1024);
        using DirtyTracker tracker = create(memory);
        Expect(tracker, memory, Range(0, 1024));
        Expect(tracker, memory);
    }

    internal static void CollectHoldsExactlyTheWrittenPages(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(1024, 1024);
        using DirtyTracker tracker = Settled(create, memory);
        long[] written = [0, 1, 63, 64, 65, 511, 512, 1023];
        foreach (long page in written) memory.Page(page)[(int)page] ^= 0xff;
        Expect(tracker, memory, written);
        memory.Page(512)[0] ^= 0xff;
        Expect(tracker, memory, 512);
        Expect(tracker, memory);
    }

    internal static void PopulatedAfterCreationIsSeen(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = new(4096, 4096);
        using DirtyTracker tracker = Settled(create, memory);
        memory.Page(2000)[0] = 1; // its page table does not exist yet
        ExpectAmong(tracker, memory, 2000);
        memory.Page(2001)[0] = 1; // its page table exists, its entry is empty
        ExpectAmong(tracker, memory, 2001);
        Expect(tracker, memory);
    }

    /// <summary>
    /// Memory never touched is not reported, and tracking it costs it nothing: it can still become a huge
    /// page.
    /// </summary>
    internal static void UnusedMemoryStaysUnused(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = new(4 * HugePages, 4 * HugePages, huge: true);
        using DirtyTracker tracker = create(memory);
        Expect(tracker, memory);
        memory.Page(HugePages + 3)[0] = 1;
        bool isHuge = memory.HasHugePages();
        using PageBitmap changed = Collect(tracker, memory);
        Claim(changed.Contains(HugePages + 3), "the page that was written is reported");
        Claim(!changed.Contains(0) &&
            !changed.Contains(2 * HugePages), "memory that was never used is not reported");
        Claim(
            isHuge || MachineCapabilities.Current.HugePages is not ("always" or "madvise"),
            "the memory became a huge page");
        Expect(tracker, memory);
    }

    internal static void WriteAfterOnlyReadingIsSeen(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = new(1024, 1024);
        using DirtyTracker tracker = Settled(create, memory);
        Claim(memory.Page(9)[0] == 0, "untouched memory reads as zero"); // maps the shared zero page
        using (Collect(tracker, memory)) { }
        Expect(tracker, memory);
        memory.Page(9)[0] = 1;
        Expect(tracker, memory, 9);
    }

    internal static void ReadFromPipeIsSeen(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(256, 256);
        using DirtyTracker tracker = Settled(create, memory);
        using SystemCallWriter writer = new();
        writer.Write(RandomNumberGenerator.GetBytes(5000), memory.Bytes(new PageRange(40, 2)));
        Expect(tracker, memory, 40, 41);
    }

    internal static void ReadFromFileIsSeen(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(256, 256);
        using DirtyTracker tracker = Settled(create, memory);
        DirectoryInfo directory = Directory.CreateTempSubdirectory("snapshot-");
        try
        {
            string path = Path.Combine(directory.FullName, "source");
            File.WriteAllBytes(path, RandomNumberGenerator.GetBytes(Pages.Size));
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path);
            Claim(RandomAccess.Read(file, memory.Page(77), 0) == Pages.Size, "the file was read");
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        Expect(tracker, memory, 77);
    }

    internal static void DroppedRunsAreReported(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(2048, 2048, huge: true);
        using DirtyTracker tracker = Settled(create, memory);
        memory.Drop(new PageRange(100, 3));
        memory.Drop(new PageRange(HugePages, HugePages)); // a whole huge page: nothing of it is left to scan
        Expect(tracker, memory, [.. Range(100, 3), .. Range(HugePages, HugePages)]);
        Expect(tracker, memory);
    }

    internal static void WriteAfterDropIsSeen(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(2048, 2048, huge: true);
        using DirtyTracker tracker = Settled(create, memory);
        memory.Drop(new PageRange(HugePages, HugePages));
        memory.Page(HugePages + 5)[0] = 1;
        ExpectAmong(tracker, memory, HugePages + 5);
        memory.Page(HugePages + 6)[0] = 1;
        ExpectAmong(tracker, memory, HugePages + 6);
        Expect(tracker, memory);
    }

    internal static void GivenBackPagesComeAgainOnce(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(512, 512);
        using DirtyTracker tracker = Settled(create, memory);
        memory.Page(10)[0] ^= 1;
        memory.Page(11)[0] ^= 1;
        using (PageBitmap failed = Collect(tracker, memory)) tracker.GiveBack(failed);
        memory.Page(12)[0] ^= 1;
        Expect(tracker, memory, 10, 11, 12);
        Expect(tracker, memory);
    }

    internal static void GrowthIsTracked(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = new(8192, 16);
        using DirtyTracker tracker = Settled(create, memory);
        memory.Commit(5000);
        memory.Page(4999)[0] = 1;
        memory.Page(3)[0] = 1;
        ExpectAmong(tracker, memory, 3, 4999);
        memory.Commit(8192);
        memory.Page(8191)[0] = 1;
        memory.Page(4999)[0] = 2;
        ExpectAmong(tracker, memory, 4999, 8191);
        Expect(tracker, memory);
    }

    internal static void HugePagesAreTracked(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = new(4 * HugePages, 4 * HugePages, huge: true);
        for (long page = 0; page < 4 * HugePages; page += HugePages) memory.Page(page)[0] = 1;
        using DirtyTracker tracker = create(memory);
        using (PageBitmap first = Collect(tracker, memory))
        {
            for (long page = 0; page < 4 * HugePages; page += HugePages)
                Claim(first.Contains(page), $"page {page} of a huge page is seen");
        }

        Expect(tracker, memory);
        memory.Page(HugePages + 7)[0] = 1;
        Expect(tracker, memory, HugePages + 7);
        memory.Page(HugePages + 8)[0] = 1;
        memory.Page((3 * HugePages) + 511)[0] = 1;
        Expect(tracker, memory, HugePages + 8, (3 * HugePages) + 511);
        Expect(tracker, memory);
    }

    internal static void ArmForgets(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(512, 512);
        using DirtyTracker tracker = create(memory);
        using (PageBitmap given = Collect(tracker, memory)) tracker.GiveBack(given);
        memory.Page(1)[0] ^= 1;
        memory.Drop(new PageRange(2, 1));
        tracker.Arm();
        Expect(tracker, memory);
        memory.Page(3)[0] ^= 1;
        Expect(tracker, memory, 3);
    }

    /// <summary>Where content tells what changed, these pages are in a collect when they did.</summary>
    internal static void OpenForDevicesIsInEveryCollect(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(1100, 1100);
        using DirtyTracker tracker = Settled(create, memory);
        bool isByContent = tracker.Mechanism == TrackingMechanism.ContentHash;
        PageRange range = new(500, 30);
        long[] pages = Range(500, 30);
        memory.OpenForDevices(range);
        using PageBitmap early = new(memory.CapacityPages);
        for (int round = 0; round < 3; round++)
        {
            foreach (long page in isByContent ? pages : []) memory.Page(page)[0]++;
            tracker.CollectEarly(early);
            Claim(isByContent || tracker.CountChanged() >= range.Count, "open pages are counted");
            Expect(tracker, memory, pages);
        }

        memory.CloseForDevices(range);
        if (isByContent) memory.Page(range.Start)[0]++;
        Expect(tracker, memory, pages);
        Expect(tracker, memory);
        memory.Page(range.Start)[0]++;
        Expect(tracker, memory, range.Start);
    }

    internal static void CountingRearmsNothing(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(512, 512);
        using DirtyTracker tracker = Settled(create, memory);
        memory.Page(5)[0] ^= 1;
        long counted = tracker.CountChanged();
        Claim(
            counted == PagesOfWrite(tracker, memory), $"what one write opened is counted ({counted} pages)");
        memory.Drop(new PageRange(8, 4));
        Claim(tracker.CountChanged() >= 5, "dropped pages are counted, too");
        Expect(tracker, memory, 5, 8, 9, 10, 11);
        Claim(
            tracker.CountChanged() <= 4, "nothing is left to count but, perhaps, pages that have no memory");
    }

    internal static void CollectAllocatesNothing(Func<MemoryRegion, DirtyTracker> create)
    {
        using TrackedMemory memory = Filled(512, 512);
        using DirtyTracker tracker = Settled(create, memory);
        using PageBitmap changed = new(memory.CapacityPages);
        for (int round = 0; round < 3; round++)
        {
            changed.Clear();
            memory.Page(round)[0] ^= 1;
            memory.Drop(new PageRange(100 + round, 1));
            long before = GC.GetAllocatedBytesForCurrentThread();
            tracker.Collect(changed);
            tracker.GiveBack(changed);
            tracker.CountChanged();
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

            // The first round may run cold code, whose first call may allocate for the runtime's own
            // purposes.
            if (round > 0)
                Claim(allocated == 0, $"a collect allocates nothing (it allocated {allocated} bytes)");
        }
    }

    /// <summary>More runs than one call to the kernel can report.</summary>
    internal static void ManyScatteredPagesAreFound(Func<MemoryRegion, DirtyTracker> create)
    {
        const long pages = 40_000;
        using TrackedMemory memory = Filled(pages, pages);
        using DirtyTracker tracker = Settled(create, memory);

        // Downwards, as nothing is opened ahead of: a server could be at that still after the collect.
        for (long page = pages - 2; page >= 0; page -= 2) memory.Page(page)[9] ^= 1;
        using PageBitmap changed = Collect(tracker, memory);
        long expected = PagesOfWrite(tracker, memory) == 1 ? pages / 2 : pages;
        Claim(
            changed.Count() == expected, $"{changed.Count()} pages are reported, and {expected} were opened");
        for (long page = 0; page < pages; page += 2)
            Claim(changed.Contains(page), $"page {page} is reported");
        Expect(tracker, memory);
    }

    /// <summary>
    /// A thread stores, drops and reads into random pages while collects run. The consumer copies what each
    /// collect reports: at once where the tracker sees every write, else only while the writer rests. In the
    /// end the copy must be the memory.
    /// </summary>
    internal static void ConcurrentWriterLosesNoPage(Func<MemoryRegion, DirtyTracker> create, int seed)
    {
        using TrackedMemory memory = new(3000, 2900, huge: true);
        using DirtyTracker tracker = create(memory);
        using RandomWriter writer =
            new(memory, seed, withSystemCalls: tracker.Mechanism != TrackingMechanism.SignalWriteProtect);
        using PageBitmap changed = new(memory.CapacityPages);
        byte[] copy = new byte[Pages.Bytes(memory.CapacityPages)];
        for (int round = 0; round < 100; round++)
        {
            writer.AwaitProgress(operations: 30);
            bool isCompared = round % 20 == 19;
            if (tracker.SeesEveryWrite)
            {
                tracker.Collect(changed);
                CopyAndClear(memory, changed, copy);
                if (!isCompared) continue;
            }

            writer.Pause();
            tracker.Collect(changed);
            CopyAndClear(memory, changed, copy);
            if (isCompared)
            {
                ClaimEqual(memory, copy, seed);
                ExpectAmong(tracker, memory); // comparing has read dropped pages, which populates them
            }

            writer.Resume();
        }
    }

    private static void CopyAndClear(TrackedMemory memory, PageBitmap changed, byte[] copy)
    {
        for (long at = 0; changed.NextRun(at, out PageRange run); at = run.End)
        {
            for (long page = run.Start; page < run.End; page++)
                memory.Page(page).CopyTo(copy.AsSpan((int)Pages.Bytes(page)));
        }

        changed.Clear();
    }

    private static void ClaimEqual(TrackedMemory memory, byte[] copy, int seed)
    {
        for (long page = 0; page < memory.CommittedPages; page++)
        {
            Claim(
                memory.Page(page).SequenceEqual(copy.AsSpan((int)Pages.Bytes(page), Pages.Size)),
                $"the copy of page {page} is up to date (it holds " +
                $"{BinaryPrimitives.ReadInt64LittleEndian(copy.AsSpan((int)Pages.Bytes(page)))}, the page " +
                $"{BinaryPrimitives.ReadInt64LittleEndian(memory.Page(page))}; seed {seed})");
        }
    }

    private static TrackedMemory Filled(long capacity, long committed, bool huge = false)
    {
        TrackedMemory memory = new(capacity, committed, huge);
        for (long page = 0; page < committed; page++)
            BinaryPrimitives.WriteInt64LittleEndian(memory.Page(page), page + 1);
        return memory;
    }

    private static DirtyTracker Settled(Func<MemoryRegion, DirtyTracker> create, TrackedMemory memory)
    {
        DirtyTracker tracker = create(memory);
        using (Collect(tracker, memory)) { }
        return tracker;
    }

    private static PageBitmap Collect(DirtyTracker tracker, TrackedMemory memory)
    {
        PageBitmap changed = new(memory.CapacityPages);
        tracker.Collect(changed);
        return changed;
    }

    private static long[] Range(long start, long count) =>
        [.. Enumerable.Range((int)start, (int)count).Select(page => (long)page)];

    private static void Expect(DirtyTracker tracker, TrackedMemory memory, params long[] expected)
    {
        using PageBitmap changed = Collect(tracker, memory);
        using PageBitmap wanted = new(memory.CapacityPages);
        foreach (long page in expected) wanted.Add(new PageRange(page, 1));
        for (long page = 0; page < memory.CapacityPages; page++)
        {
            bool isRight = changed.Contains(page) == wanted.Contains(page)
                || (changed.Contains(page) && IsNeighbour(tracker, memory, page, expected));
            Claim(
                isRight,
                $"page {page} is {(wanted.Contains(page) ? "" : "not ")}reported ({changed.Count()} " +
                $"reported, {wanted.Count()} expected)");
        }
    }

    private static bool IsNeighbour(DirtyTracker tracker, TrackedMemory memory, long page, long[] written)
    {
        long together = PagesOfWrite(tracker, memory);
        return written.Any(one => one / together == page / together);
    }

    /// <summary>
    /// With how many others a written page is reported: the kernel marks a huge page as a whole, where marks
    /// are all it makes; and memory that is frozen is opened by block.
    /// </summary>
    private static long PagesOfWrite(DirtyTracker tracker, TrackedMemory memory) =>
        tracker is FreezingTracker || (memory.IsHuge && tracker.Mechanism == TrackingMechanism.SoftDirty)
            ? HugePages : 1;

    /// <summary>
    /// For pages beside ones never populated, which a tracker may report once although they read as zero.
    /// </summary>
    private static void ExpectAmong(DirtyTracker tracker, TrackedMemory memory, params long[] expected)
    {
        using PageBitmap changed = Collect(tracker, memory);
        foreach (long page in expected) Claim(changed.Contains(page), $"page {page} is reported");
        for (long at = 0; changed.NextRun(at, out PageRange run); at = run.End)
        {
            for (long page = run.Start; page < run.End; page++)
                Claim(
                    expected.Contains(page) || PageHashes.IsZero(memory.Page(page))
                        || IsNeighbour(tracker, memory, page, expected),
                    $"page {page}, reported without need, holds zeros");
        }
    }

    private static void Claim(bool holds, string claim)
    {
        if (!holds) throw new InvalidOperationException($"Broken promise: {claim}.");
    }
}
