namespace Snapshot.Tests.Tracking;

/// <summary>
/// The memory, bits and slots of the model of frozen memory: two pages of one span. What freeze.c, open.c and
/// slots.c keep in words of 64 pages is kept for each page here.
/// </summary>
internal static class FreezeModel
{
    internal const int Pages = 2;
    internal const byte NoSlot = 0xFF;
    internal const byte NobodyHolds = 0xFF;

    [Flags]
    internal enum Bits : ushort
    {
        None = 0,

        // What the kernel has of the page.
        HasMemory = 1,
        Protected = 2,

        // What the library has.
        Armed = 4,
        Written = 8,
        Frozen = 16,
        Copied = 32,
        CopiedWithSpan = 64,
        Dropped = 128,

        // What the running checkpoint has.
        Changed = 256,
        Taken = 512,

        // What only the model knows: it changed since it was last reported, and did so before the pause
        // began.
        Unreported = 1024,
        MustBeReported = 2048,

        // A failed drain returned it to the tracker.
        GivenBack = 4096,

        // An early collect reported it, for the checkpoint that follows.
        ReportedEarly = 8192,

        // A device may write it without a fault.
        Open = 16384,
    }

    /// <param name="Bits">See there.</param>
    /// <param name="Content">0 is zero; every write has a number of its own.</param>
    /// <param name="Last">The last number written.</param>
    /// <param name="Truth">The content at the moment of freezing.</param>
    /// <param name="Slot">Where the copy is.</param>
    internal readonly record struct Page(Bits Bits, byte Content, byte Last, byte Truth, byte Slot)
    {
        internal bool Has(Bits bits) => (Bits & bits) == bits;

        internal Page With(Bits bits) => this with { Bits = Bits | bits };

        internal Page Without(Bits bits) => this with { Bits = Bits & ~bits };

        /// <summary>A store that goes through; memory that was not there comes unprotected.</summary>
        internal Page Store() => With(Bits.HasMemory | Bits.Unreported) with
        {
            Content = (byte)(Last + 1),
            Last = (byte)(Last + 1),
        };

        internal Page Protect() => Has(Bits.HasMemory) ? With(Bits.Protected) : this;

        internal Page Discard() => Without(Bits.HasMemory | Bits.Protected) with { Content = 0 };
    }

    /// <summary>
    /// Extents of two slots, of which one page takes a piece; pieces are not joined again. Behind them two
    /// for need.
    /// </summary>
    /// <param name="Limit">Extents.</param>
    /// <param name="Used">A bit a slot.</param>
    /// <param name="Split">A bit an extent.</param>
    /// <param name="Needed">How many of those for need are used.</param>
    /// <param name="Contents">Four bits a slot.</param>
    /// <param name="Fault">A slot was returned that was not in use.</param>
    internal readonly record struct Slots(
        byte Limit, byte Used, byte Split, byte Needed, uint Contents, bool Fault)
    {
        private const int Extra = 2;

        internal bool AllReturned => Used == 0;

        internal Slots Renewed => new(Limit, 0, 0, 0, Contents, Fault);

        internal byte Content(byte slot) => (byte)((Contents >> (4 * slot)) & 15);

        internal Slots Fill(byte slot, byte content) =>
            this with { Contents = (Contents & ~(15u << (4 * slot))) | ((uint)content << (4 * slot)) };

        internal (Slots Slots, byte Slot) Take(bool span)
        {
            for (byte extent = 0; extent < Limit; extent++)
            {
                int both = 3 << (2 * extent);
                if (!span && (Split & (1 << extent)) != 0 && (Used & both) != both)
                {
                    byte slot = (byte)((2 * extent) + ((Used >> (2 * extent)) & 1));
                    return (this with { Used = (byte)(Used | (1 << slot)) }, slot);
                }
            }

            for (byte extent = 0; extent < Limit; extent++)
            {
                int both = 3 << (2 * extent);
                if ((Split & (1 << extent)) != 0 || (Used & both) != 0) continue;
                byte first = (byte)(2 * extent);
                Slots taken = span
                    ? this with { Used = (byte)(Used | both) }
                    : this with { Used = (byte)(Used | (1 << first)), Split = (byte)(Split | (1 << extent)) };
                return (taken, first);
            }

            return (this, NoSlot);
        }

        internal (Slots Slots, byte Slot) TakeNeeded() => Needed == Extra
            ? (this, NoSlot)
            : (this with { Needed = (byte)(Needed + 1) }, (byte)((2 * Limit) + Needed));

        internal Slots Put(byte slot, bool span)
        {
            if (slot >= 2 * Limit) return this;
            int bits = span ? 3 << (slot & ~1) : 1 << slot;
            return this with { Used = (byte)(Used & ~bits), Fault = Fault || (Used & bits) != bits };
        }
    }

    internal enum WriterAt : byte
    {
        Outside,
        Queued,
        Taken,
        Retries,
    }

    /// <param name="At">Where the thread is.</param>
    /// <param name="Page">What it writes.</param>
    /// <param name="Budget">Writes to come.</param>
    /// <param name="IsStray">It takes no part in checkpoints: it writes in the pause, too.</param>
    internal readonly record struct Writer(WriterAt At, byte Page, byte Budget, bool IsStray)
    {
        internal bool Waits => At is WriterAt.Queued or WriterAt.Taken;
    }

    internal enum DiscarderAt : byte
    {
        Outside,
        Securing,
        Discarding,
        Noting,
    }

    internal readonly record struct Discarder(DiscarderAt At, byte Budget);

    internal enum DeviceAt : byte
    {
        Outside,
        Opening,
        Pinned,
    }

    /// <param name="At">What it does next, or who opens page 1 for it.</param>
    /// <param name="Opens">How often that is opened.</param>
    /// <param name="Writes">Writes to come.</param>
    internal readonly record struct Device(DeviceAt At, byte Opens, byte Writes);

    internal enum Purpose : byte
    {
        Serve,
        Secure,
        Ahead,
    }

    internal enum ServerAt : byte
    {
        Idle,
        Lock,
        Look,
        Unlocked,
        Compare,
        Asleep,
        Awake,
        Reload,
        NeedLock,
        NeedLook,
        Copy,
        Ask,
        SetWritten,
        ClearArmed,
        Unprotect,
        Unlock,
    }

    /// <summary>A thread that runs secure and what follows it: a server, or one that discards.</summary>
    /// <param name="At">What it does next.</param>
    /// <param name="Purpose">What for.</param>
    /// <param name="Page">The page it is about.</param>
    /// <param name="Span">It is about the span, and not about a page of it alone.</param>
    /// <param name="Opening">The page it opens next.</param>
    /// <param name="Seen">The count of changes it saw.</param>
    /// <param name="Slot">A slot it has in hand.</param>
    /// <param name="Moved">What its wait returned.</param>
    internal readonly record struct Server(
        ServerAt At, Purpose Purpose, byte Page, bool Span, byte Opening, byte Seen, byte Slot, bool Moved)
    {
        internal byte First => Span ? (byte)0 : Page;

        internal byte End => Span ? (byte)Pages : (byte)(Page + 1);
    }

    internal enum CollectorAt : byte
    {
        Outside,
        Stopping,
        TakeDropped,
        TakeWritten,
        SetArmed,
        UnlockTaken,
        Protect,
        FindLost,
        TakeLost,
        ArmOpen,
        SetArmedOpen,
        ProtectOpen,
        Freeze,
        FreezePage,
        UnlockFrozen,
        Release,
        Drain,
        Read,
        AskFirst,
        ReadForeign,
        Ask,
        LetGo,
        UnlockRead,
        ReadLate,
        Count,
        CountQuietly,
        Wake,
        Thaw,
    }

    /// <param name="At">What it does next.</param>
    /// <param name="Page">The page it is at.</param>
    /// <param name="Captures">How many are to come.</param>
    /// <param name="Source">
    /// Where it will read a page from, when it does that late; what it read of foreign memory.
    /// </param>
    /// <param name="Wrong">It delivered another content than that of the moment of freezing.</param>
    /// <param name="Cancels">How many drains may fail.</param>
    /// <param name="Early">Early collects to come.</param>
    /// <param name="IsEarly">This one runs beside writers.</param>
    internal readonly record struct Collector(
        CollectorAt At, byte Page, byte Captures, byte Source, bool Wrong, byte Cancels, byte Early,
        bool IsEarly);

    internal readonly record struct State(
        Page A, Page B, Slots Slots, byte Lock, byte Changes, byte Waiting, bool Held, bool Stop, byte Aheads,
        bool OtherHolds,
        Server Server0, Server Server1, Server Securer,
        Writer Writer0, Writer Writer1, Writer Stray, Discarder Discarder, Device Device,
        bool CollectHolds, bool OpeningHolds, Collector Collector, bool IsForeign, bool Gone)
    {
        internal const int Servers = 3;
        internal const int Writers = 3;

        internal Page this[int page] => page == 0 ? A : B;

        internal State With(int page, Page value) =>
            page == 0 ? this with { A = value } : this with { B = value };

        internal Server ServerOf(int index) => index switch { 0 => Server0, 1 => Server1, _ => Securer };

        internal State With(int index, Server value) => index switch
        {
            0 => this with { Server0 = value },
            1 => this with { Server1 = value },
            _ => this with { Securer = value },
        };

        internal Writer WriterOf(int index) => index switch { 0 => Writer0, 1 => Writer1, _ => Stray };

        internal State With(int index, Writer value) => index switch
        {
            0 => this with { Writer0 = value },
            1 => this with { Writer1 = value },
            _ => this with { Stray = value },
        };

        /// <summary>The kernel lets writes to a page through, and wakes who waits to write it.</summary>
        internal State Unprotect(int page)
        {
            State next = With(page, this[page].Without(Bits.Protected));
            for (int index = 0; index < Writers; index++)
            {
                Writer writer = WriterOf(index);
                if (writer.Waits && writer.Page == page)
                    next = next.With(index, writer with { At = WriterAt.Retries });
            }

            return next;
        }

        /// <summary>Something was read or returned: who waits for a slot looks again.</summary>
        internal State Wake()
        {
            State next = this;
            for (int index = 0; Waiting > 0 && index < Servers; index++)
            {
                Server server = ServerOf(index);
                if (server.At == ServerAt.Asleep)
                    next = next.With(index, server with { At = ServerAt.Awake });
            }

            return next;
        }

        /// <summary>Every thread that takes part is at a safepoint.</summary>
        internal bool IsQuiet =>
            Writer0.At == WriterAt.Outside && Writer1.At == WriterAt.Outside &&
            Discarder.At == DiscarderAt.Outside;
    }
}
