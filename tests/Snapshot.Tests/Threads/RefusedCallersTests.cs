using System.Reflection;
using System.Runtime.InteropServices;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>Who must not use what lives in an arena: whoever no checkpoint stops.</summary>
public sealed unsafe class RefusedCallersTests : IDisposable
{
    /// <summary>Every operation of the types that threads wait with; a letter is an overload.</summary>
    private static readonly Dictionary<string, Action<ArenaPointer<State>>> s_operations = new()
    {
        ["ArenaMutex.Enter"] = static s => s.Value.Mutex.Enter(),
        ["ArenaMutex.TryEnter"] = static s => s.Value.Mutex.TryEnter(),
        ["ArenaMutex.TryEnter b"] = static s => s.Value.Mutex.TryEnter(TimeSpan.FromSeconds(1)),
        ["ArenaMutex.Exit"] = static s => s.Value.Held.Exit(),
        ["ArenaMutex.EnterScope"] = static s => s.Value.Mutex.EnterScope(),
        ["ArenaReaderWriterLock.EnterRead"] = static s => s.Value.Table.EnterRead(),
        ["ArenaReaderWriterLock.TryEnterRead"] = static s => s.Value.Table.TryEnterRead(TimeSpan.Zero),
        ["ArenaReaderWriterLock.ExitRead"] = static s => s.Value.Read.ExitRead(),
        ["ArenaReaderWriterLock.EnterReadScope"] = static s => s.Value.Table.EnterReadScope(),
        ["ArenaReaderWriterLock.EnterWrite"] = static s => s.Value.Table.EnterWrite(),
        ["ArenaReaderWriterLock.TryEnterWrite"] = static s => s.Value.Table.TryEnterWrite(TimeSpan.Zero),
        ["ArenaReaderWriterLock.ExitWrite"] = static s => s.Value.Written.ExitWrite(),
        ["ArenaReaderWriterLock.EnterWriteScope"] = static s => s.Value.Table.EnterWriteScope(),
        ["ArenaSemaphore.Wait"] = static s => s.Value.Slots.Wait(),
        ["ArenaSemaphore.TryWait"] = static s => s.Value.Slots.TryWait(),
        ["ArenaSemaphore.TryWait b"] = static s => s.Value.Slots.TryWait(TimeSpan.FromSeconds(1)),
        ["ArenaSemaphore.Release"] = static s => s.Value.Slots.Release(),
        ["ArenaEvent.Set"] = static s => s.Value.Unset.Set(),
        ["ArenaEvent.Reset"] = static s => s.Value.Set.Reset(),
        ["ArenaEvent.Wait"] = static s => s.Value.Set.Wait(),
        ["ArenaEvent.TryWait"] = static s => s.Value.Set.TryWait(),
        ["ArenaEvent.TryWait b"] = static s => s.Value.Set.TryWait(TimeSpan.FromSeconds(1)),
        ["ArenaBarrier.SignalAndWait"] = static s => s.Value.Alone.SignalAndWait(),
        ["ArenaChannel`1.TryWrite"] = static s => s.Value.Channel.TryWrite(2),
        ["ArenaChannel`1.TryRead"] = static s => s.Value.Channel.TryRead(out _),
        ["ArenaChannel`1.Complete"] = static s => s.Value.Channel.Complete(),
        ["ArenaChannel`1.WriteAsync"] = static s => _ = s.Value.Channel.WriteAsync(3),
        ["ArenaChannel`1.ReadAsync"] = static s => _ = s.Value.Channel.ReadAsync(),
        ["ArenaChannel`1.WaitToReadAsync"] = static s => _ = s.Value.Channel.WaitToReadAsync(),
        ["FiberLocks.EnterAsync"] = static s => _ = s.Value.Mutex.EnterAsync(),
        ["FiberLocks.EnterReadAsync"] = static s => _ = s.Value.Table.EnterReadAsync(),
        ["FiberLocks.EnterWriteAsync"] = static s => _ = s.Value.Table.EnterWriteAsync(),
        ["FiberLocks.WaitAsync"] = static s => _ = s.Value.Slots.WaitAsync(),
        ["FiberLocks.WaitAsync b"] = static s => _ = s.Value.Set.WaitAsync(),
        ["FiberLocks.SignalAndWaitAsync"] = static s => _ = s.Value.Alone.SignalAndWaitAsync(),
    };

    private readonly FiberSession _session = new();

    public RefusedCallersTests()
    {
        S.Value.Channel.Initialize(_session.Arena, 8);
        S.Value.Slots.Initialize(3);
        S.Value.Set.Initialize(ArenaEventMode.AutoReset, set: true);
        S.Value.Alone.Initialize(1);
        using Participant me = _session.Session.Attach("owner");
        S.Value.Held.Enter();
        S.Value.Read.EnterRead();
        S.Value.Written.EnterWrite();
        S.Value.Channel.TryWrite(1);
    }

    private struct State
    {
        public ArenaMutex Mutex;
        public ArenaMutex Held;
        public ArenaReaderWriterLock Table;
        public ArenaReaderWriterLock Read;
        public ArenaReaderWriterLock Written;
        public ArenaSemaphore Slots;
        public ArenaEvent Unset;
        public ArenaEvent Set;
        public ArenaChannel<long> Channel;
        public ArenaBarrier Alone;
    }

    public static TheoryData<string> Names => [.. s_operations.Keys];

    private ArenaPointer<State> S => _session.Root<State>();

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Every_operation_is_looked_at()
    {
        Type[] types =
        [
            typeof(ArenaMutex), typeof(ArenaReaderWriterLock), typeof(ArenaSemaphore), typeof(ArenaEvent),
            typeof(ArenaBarrier), typeof(ArenaChannel<>), typeof(FiberLocks),
        ];
        const BindingFlags Own =
            BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        Assert.Equal(
            types.SelectMany(type => type.GetMethods(Own).Where(IsOperation))
                .Select(method => $"{method.DeclaringType!.Name}.{method.Name}").Order(
                    StringComparer.Ordinal),
            s_operations.Keys.Select(name => name.Split(' ')[0]).Order(StringComparer.Ordinal));

        static bool IsOperation(MethodInfo method) => !method.IsSpecialName && method.Name != "Initialize";
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_thread_that_takes_no_part_is_refused_and_changes_nothing(string operation)
    {
        byte[] before = Bytes();
        Assert.Throws<InvalidOperationException>(() => s_operations[operation](S));
        Assert.Equal(before, Bytes());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_participant_in_a_blocked_region_is_refused_and_changes_nothing(string operation)
    {
        using Participant me = _session.Session.Attach("owner");
        byte[] before = Bytes();
        using (me.EnterBlockedRegion())
            Assert.Throws<InvalidOperationException>(() => s_operations[operation](S));
        using (me.EnterCriticalSection())
        using (me.EnterBlockedRegion())
        {
            using (me.EnterBlockedRegion())
            {
            }

            Assert.Throws<InvalidOperationException>(() => s_operations[operation](S));
        }

        Assert.Equal(before, Bytes());
        S.Value.Held.Exit();
    }

    private byte[] Bytes() => MemoryMarshal.AsBytes(new ReadOnlySpan<State>(ref S.Value)).ToArray();
}
