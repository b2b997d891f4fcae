using System.Runtime.InteropServices;
using Snapshot.Base;
using Snapshot.Memory;
using Snapshot.Tracking;

namespace Snapshot.TestPrograms;

/// <summary>
/// What is promised of memory that Snapshot did not allocate, each kind of it a method that throws when the
/// promise is broken. Run by tests in their process, watched and hashed, and by an ordinary user.
/// </summary>
internal static unsafe class ForeignScenarios
{
    private const long Count = 64;
    private const long Bytes = Count * Pages.Size;

    internal static IReadOnlyDictionary<string, Action<Func<MemoryRegion, DirtyTracker>>> All { get; } =
        new Dictionary<string, Action<Func<MemoryRegion, DirtyTracker>>>
        {
            [nameof(MappedMemory)] = MappedMemory,
            [nameof(UnalignedMemory)] = UnalignedMemory,
            [nameof(FewPages)] = FewPages,
            [nameof(HeapOfBrk)] = HeapOfBrk,
            [nameof(LargeMalloc)] = LargeMalloc,
            [nameof(Stack)] = Stack,
            [nameof(SharedMemoryFile)] = SharedMemoryFile,
            [nameof(SharedAnonymous)] = SharedAnonymous,
            [nameof(PrivateFile)] = PrivateFile,
            [nameof(UnmappedAndMappedAgain)] = UnmappedAndMappedAgain,
            [nameof(MovedOver)] = MovedOver,
            [nameof(HalfReplaced)] = HalfReplaced,
            [nameof(BecameShared)] = BecameShared,
            [nameof(SystemCall)] = SystemCall,
            [nameof(DroppedPages)] = DroppedPages,
            [nameof(DroppedHugePages)] = DroppedHugePages,
            [nameof(NeighboursOnEdges)] = NeighboursOnEdges,
            [nameof(WatchedTwice)] = WatchedTwice,
            [nameof(NeverTouched)] = NeverTouched,
            [nameof(Unmapped)] = Unmapped,
            [nameof(WithoutAccess)] = WithoutAccess,
            [nameof(GivenBack)] = GivenBack,
            [nameof(LeftAlone)] = LeftAlone,
        };

    internal static void MappedMemory(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(Bytes), Bytes);
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            memory.ExpectAll();
            memory.Expect();
            at[Pages.Bytes(7) + 3] ^= 1;
            memory.Expect(7);
            at[0] ^= 1;
            at[Bytes - 1] ^= 1;
            memory.Expect(0, Count - 1);
            memory.Expect();
        }

        LibC.Unmap(at, Bytes);
    }

    /// <summary>As malloc gives it: 16 bytes into a page, and ending within one.</summary>
    internal static void UnalignedMemory(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* mapped = Filled(LibC.Map(Bytes), Bytes), at = mapped + 16;
        const long bytes = Bytes - 100;
        using (ForeignMemory memory = new(at, bytes, create))
        {
            memory.ExpectAll();
            memory.Expect();
            foreach (long offset in (long[])[Pages.Bytes(9) + 5, 0, 4079, 4080, bytes - 1, Pages.Bytes(63)])
            {
                at[offset] ^= 1;
                memory.Expect(memory.Around(offset));
                memory.Expect();
            }

            // What is on the same pages and somebody else's is not seen.
            mapped[0] ^= 1;
            mapped[15] ^= 1;
            mapped[Bytes - 1] ^= 1;
            memory.Expect();
        }

        LibC.Unmap(mapped, Bytes);
    }

    /// <summary>Hashed, whatever the machine can do.</summary>
    internal static void FewPages(Func<MemoryRegion, DirtyTracker> create)
    {
        const long few = 15 * Pages.Size;
        byte* at = Filled(LibC.Map(few), few);
        using (ForeignMemory memory = new(at, few, create))
        {
            Claim(!memory.IsWatched && !memory.IsFrozen, "so few pages are hashed");
            memory.ExpectAll();
            at[Pages.Size] ^= 1;
            memory.Expect(1);
            at[Pages.Size] ^= 1;
            at[Pages.Size] ^= 1;
            memory.Expect();
        }

        LibC.Unmap(at, few);
    }

    internal static void HeapOfBrk(Func<MemoryRegion, DirtyTracker> create)
    {
        // Below the least size that malloc maps by itself; freed and had again it is mostly the same place.
        const nuint bytes = 100_000;
        byte* at = Filled((byte*)NativeMemory.Alloc(bytes), (long)bytes);
        ForeignMemory memory = new(at, (long)bytes, create);
        memory.ExpectAll();
        at[50_000] ^= 1;
        memory.Expect(memory.Around(50_000));
        NativeMemory.Free(at);
        byte* again = (byte*)NativeMemory.Alloc(bytes);
        if (again == at)
        {
            again[70_000] ^= 1;
            using PageBitmap changed = new(memory.CapacityPages);
            memory.Tracker.Collect(changed);
            Claim(changed.Contains(70_000 >> Pages.Shift), "a write to the heap that was had again is seen");
        }

        memory.Dispose();
        NativeMemory.Free(again);
    }

    internal static void LargeMalloc(Func<MemoryRegion, DirtyTracker> create)
    {
        const nuint bytes = 64 << 20;
        byte* at = Filled((byte*)NativeMemory.Alloc(bytes), (long)bytes);
        using (ForeignMemory memory = new(at, (long)bytes, create))
        {
            memory.ExpectAll();
            memory.Expect();
            at[30_000_000] ^= 1;
            memory.Expect(memory.Around(30_000_000));
        }

        NativeMemory.Free(at);
    }

    internal static void Stack(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = stackalloc byte[(int)Bytes];
        Filled(at, Bytes);
        using ForeignMemory memory = new(at, Bytes, create);
        memory.ExpectAll();
        memory.Expect();
        at[Pages.Bytes(20)] ^= 1;
        memory.Expect(memory.Around(Pages.Bytes(20)));
    }

    /// <summary>Written through another mapping, which page tables do not show here.</summary>
    internal static void SharedMemoryFile(Func<MemoryRegion, DirtyTracker> create)
    {
        int file = LibC.MemoryFile(Bytes);
        SeenThroughBoth(create, LibC.Map(Bytes, LibC.Shared, file), LibC.Map(Bytes, LibC.Shared, file));
        _ = LibC.close(file);
    }

    internal static void SharedAnonymous(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = LibC.Map(Bytes, LibC.Shared | LibC.Anonymous);
        SeenThroughBoth(create, at, at);
    }

    /// <summary>A page without memory shows the file, also what is written to that.</summary>
    internal static void PrivateFile(Func<MemoryRegion, DirtyTracker> create)
    {
        int file = LibC.MemoryFile(Bytes);
        byte* at = LibC.Map(Bytes, LibC.Private, file), under = LibC.Map(Bytes, LibC.Shared, file);
        Filled(under, Bytes);
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            Claim(!memory.IsWatched && !memory.IsFrozen, "what shows a file is hashed");
            memory.ExpectAll();
            under[Pages.Bytes(4)] ^= 1;
            at[Pages.Bytes(5)] ^= 1;
            memory.Expect(4, 5);
            LibC.Drop(at + Pages.Bytes(5), Pages.Size);
            memory.Expect(5);
        }

        LibC.Unmap(at, Bytes);
        LibC.Unmap(under, Bytes);
        _ = LibC.close(file);
    }

    /// <summary>As free and malloc do with what is large.</summary>
    internal static void UnmappedAndMappedAgain(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(Bytes), Bytes);
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            memory.ExpectAll();
            Replace(at, Bytes);
            at[Pages.Bytes(3)] = 1;
            memory.ExpectAll();
            at[Pages.Bytes(3)] ^= 1;
            memory.Expect(3);
            memory.Expect();
        }

        LibC.Unmap(at, Bytes);
    }

    /// <summary>Watched memory that is moved here by mremap is other memory.</summary>
    internal static void MovedOver(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(Bytes), Bytes), other = Filled(LibC.Map(Bytes), Bytes, 77);
        ForeignMemory memory = new(at, Bytes, create), moved = new(other, Bytes, create);
        memory.ExpectAll();
        moved.ExpectAll();
        LibC.Move(other, at, Bytes);
        memory.ExpectAll();
        at[Pages.Bytes(3)] ^= 1;
        memory.Expect(3);
        moved.Dispose();
        memory.Dispose();
        LibC.Unmap(at, Bytes);
    }

    internal static void HalfReplaced(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(Bytes), Bytes);
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            memory.ExpectAll();
            Replace(at + (Bytes / 2), Bytes / 2);
            at[Pages.Bytes(50)] = 9;
            memory.Expect(memory.IsWatched || memory.IsFrozen
                ? ForeignMemory.Range(0, Count) : ForeignMemory.Range(Count / 2, Count / 2));
            at[Pages.Bytes(50)]++;
            at[Pages.Bytes(2)]++;
            memory.Expect(2, 50);
        }

        LibC.Unmap(at, Bytes);
    }

    internal static void BecameShared(Func<MemoryRegion, DirtyTracker> create)
    {
        int file = LibC.MemoryFile(Bytes);
        byte* at = Filled(LibC.Map(Bytes), Bytes), under = LibC.Map(Bytes, LibC.Shared, file);
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            memory.ExpectAll();
            LibC.Map(Bytes, LibC.Shared | LibC.Fixed, file, at);
            memory.ExpectAll();
            Claim(!memory.IsWatched && !memory.IsFrozen, "what has come to be shared is hashed");
            under[Pages.Bytes(11)] = 5;
            memory.Expect(11);
        }

        LibC.Unmap(at, Bytes);
        LibC.Unmap(under, Bytes);
        _ = LibC.close(file);
    }

    internal static void SystemCall(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(Bytes), Bytes);
        using (SystemCallWriter kernel = new())
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            memory.ExpectAll();
            memory.Expect();
            kernel.Write([1, 2, 3], new Span<byte>(at + Pages.Bytes(30), 3));
            Claim(at[Pages.Bytes(30) + 2] == 3, "the call succeeds");
            memory.Expect(30);
        }

        LibC.Unmap(at, Bytes);
    }

    /// <summary>The program's own MADV_DONTNEED, and what comes after it.</summary>
    internal static void DroppedPages(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(Bytes), Bytes);
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            memory.ExpectAll();
            LibC.Drop(at + Pages.Bytes(5), 3 * Pages.Size);
            memory.Expect(5, 6, 7);
            using PageBitmap empty = new(Count);
            memory.Tracker.MarkEmpty(empty);
            Claim(empty.Count() == (memory.IsWatched ? 3 : 0), "those need not be read");
            memory.Expect();
            at[Pages.Bytes(6)] = 1;
            memory.Expect(6);
            LibC.Drop(at + Pages.Bytes(6), Pages.Size);
            at[Pages.Bytes(6)] = 2;
            memory.Expect(6);
            memory.Expect();
        }

        LibC.Unmap(at, Bytes);
    }

    /// <summary>The page tables go with them.</summary>
    internal static void DroppedHugePages(Func<MemoryRegion, DirtyTracker> create)
    {
        const long large = 16 * Pages.HugeSize, dropped = 8 * Pages.HugeSize;
        byte* at = LibC.Map(large);
        LibC.AskForHugePages(at, large);
        Filled(at, large);
        using (ForeignMemory memory = new(at, large, create))
        {
            memory.ExpectAll();
            memory.Expect();
            LibC.Drop(at + (4 * Pages.HugeSize), dropped);
            memory.Expect(ForeignMemory.Range((4 * Pages.HugeSize) >> Pages.Shift, dropped >> Pages.Shift));
            memory.Expect();
        }

        LibC.Unmap(at, large);
    }

    /// <summary>Two buffers that meet within a page, and beside them what nobody protects.</summary>
    internal static void NeighboursOnEdges(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(3 * Bytes), 3 * Bytes);
        const long meet = Bytes + 1000;
        using (ForeignMemory first = new(at + 8, meet - 8, create))
        using (ForeignMemory second = new(at + meet, Bytes, create))
        {
            first.ExpectAll();
            second.ExpectAll();
            at[meet - 1] ^= 1;
            first.Expect(first.Around(meet - 9));
            second.Expect();
            at[meet] ^= 1;
            second.Expect(0);
            first.Expect();
            at[0] ^= 1;
            at[meet + Bytes] ^= 1;
            first.Expect();
            second.Expect();
        }

        LibC.Unmap(at, 3 * Bytes);
    }

    /// <summary>Who comes second is told by content, for as long as it lives.</summary>
    internal static void WatchedTwice(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(2 * Bytes), 2 * Bytes);
        using (ForeignMemory first = new(at, Bytes, create))
        {
            using ForeignMemory second = new(at + (Bytes / 2), Bytes, create);
            Claim(!second.IsWatched && !second.IsFrozen, "what is watched already is hashed");
            first.ExpectAll();
            second.ExpectAll();
            at[Pages.Bytes(40)] ^= 1;
            first.Expect(40);
            second.Expect(40 - (Count / 2));
            first.Expect();
        }

        using (ForeignMemory third = new(at, Bytes, create))
        {
            // Bits of the one before say nothing.
            third.ExpectAll();
            at[Pages.Bytes(40)] ^= 1;
            third.Expect(40);
        }

        LibC.Unmap(at, 2 * Bytes);
    }

    /// <summary>What was never written costs nothing and stays so.</summary>
    internal static void NeverTouched(Func<MemoryRegion, DirtyTracker> create)
    {
        const long large = 1L << 30;
        byte* at = LibC.Map(large);
        using (ForeignMemory memory = new(at, large, create))
        {
            at[Pages.Bytes(1000)] = 1;
            memory.Expect(1000);
            at[Pages.Bytes(200_000)] = 1;
            memory.Expect(200_000);
            memory.Expect();
        }

        LibC.Unmap(at, large);
    }

    internal static void Unmapped(Func<MemoryRegion, DirtyTracker> create) => Gone(
        create, at => LibC.Unmap(at, Pages.Size), at => LibC.Map(
            Pages.Size, LibC.Private | LibC.Anonymous | LibC.Fixed, -1, at));

    internal static void WithoutAccess(Func<MemoryRegion, DirtyTracker> create) => Gone(
        create, at => LibC.Protect(at, Pages.Size, LibC.NoAccess),
        at => LibC.Protect(at, Pages.Size, LibC.ReadWrite));

    internal static void GivenBack(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(Bytes), Bytes);
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            memory.ExpectAll();
            using PageBitmap pages = new(Count);
            pages.Add(new PageRange(4, 2));
            memory.Tracker.GiveBack(pages);
            at[Pages.Bytes(9)] ^= 1;
            memory.Expect(4, 5, 9);
            memory.Expect();
        }

        LibC.Unmap(at, Bytes);
    }

    /// <summary>After it was left the memory may be anything, and the next one begins there.</summary>
    internal static void LeftAlone(Func<MemoryRegion, DirtyTracker> create)
    {
        byte* at = Filled(LibC.Map(Bytes), Bytes);
        using ForeignMemory memory = new(at, Bytes, create);
        memory.ExpectAll();
        memory.Tracker.Leave();
        Claim(memory.Tracker.CountChanged() == 0, "nothing of it is counted any more");
        using (ForeignMemory next = new(at, Bytes, create))
        {
            next.ExpectAll();
            at[Pages.Bytes(2)] ^= 1;
            next.Expect(2);
        }

        LibC.Unmap(at, Bytes);
    }

    private static void Gone(
        Func<MemoryRegion, DirtyTracker> create, TakeMemory take, TakeMemory give)
    {
        byte* at = Filled(LibC.MapApart(Bytes), Bytes);
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            memory.ExpectAll();
            take(at + Pages.Bytes(33));
            try
            {
                memory.Expect();
                throw new InvalidOperationException("Broken promise: missing memory is an error.");
            }
            catch (SnapshotException error) when (error.Code == SnapshotErrorCode.MemoryGone)
            {
                Claim(error.Message.Contains("'foreign'", StringComparison.Ordinal), "it names the buffer");
                Claim(
                    error.Message.Contains($"{(nint)at + Pages.Bytes(33):x}", StringComparison.Ordinal),
                    "and where it is missing");
            }

            give(at + Pages.Bytes(33));
            at[Pages.Bytes(33)] = 200;
            using PageBitmap changed = new(Count);
            memory.Tracker.Collect(changed);
            Claim(changed.Contains(33), "what is there again is seen");
            at[Pages.Bytes(1)] ^= 1;
            memory.Expect(1);
        }

        LibC.Unmap(at, Bytes);
    }

    private static void SeenThroughBoth(Func<MemoryRegion, DirtyTracker> create, byte* at, byte* other)
    {
        Filled(at, Bytes);
        using (ForeignMemory memory = new(at, Bytes, create))
        {
            Claim(!memory.IsWatched && !memory.IsFrozen, "shared memory is hashed");
            memory.ExpectAll();
            other[Pages.Bytes(8)] ^= 1;
            memory.Expect(8);
            at[Pages.Bytes(9)] ^= 1;
            memory.Expect(9);

            // Nothing of it is in this mapping's page table now, and its content is what it was.
            LibC.Drop(at, Bytes);
            other[Pages.Bytes(10)] ^= 1;
            memory.Expect(10);
        }

        LibC.Unmap(at, Bytes);
        if (other != at) LibC.Unmap(other, Bytes);
    }

    /// <summary>Other memory, of zeros, in the same place.</summary>
    private static void Replace(byte* at, long bytes) =>
        LibC.Map(bytes, LibC.Private | LibC.Anonymous | LibC.Fixed, -1, at);

    private static byte* Filled(byte* at, long bytes, int first = 1)
    {
        for (long page = 0; page < bytes; page += Pages.Size)
            at[page] = (byte)(((page >> Pages.Shift) + first) | 1);
        return at;
    }

    private static void Claim(bool holds, string claim)
    {
        if (!holds) throw new InvalidOperationException($"Broken promise: {claim}.");
    }

    private delegate void TakeMemory(byte* page);
}
