using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Snapshot.Threads.Fibers;
using Xunit;

namespace Snapshot.Tests.Threads;

/// <summary>What an arena records of the types of frames.</summary>
public sealed unsafe class FrameTypeTests
{
    private enum Small : byte
    {
        None,
    }

    private struct Inner
    {
        public byte A;
        public double B;
        public Inner2 C;
    }

    private struct Inner2
    {
        public short X;
        public Small Y;
    }

    private struct Empty;

    [InlineArray(5)]
    private struct Five
    {
        private int _first;
    }

    private struct Odd
    {
        public byte Byte;
        public bool Bool;
        public char Char;
        public long Long;
        public decimal Decimal;
        public int? Nullable;
        public Inner? NullableStruct;
        public Small Enum;
        public int* Pointer;
        public delegate*<int, void> Function;
        public nint Native;
        public Vector256<int> Vector;
        public Inner Nested;
        public Five Array;
        public Empty Empty;
        public float Float;
        public DateTime Time;
        public Guid Guid;
        public (int, long) Pair;
        public ArenaPointer<long> Arena;
        public Half Half;
        public UInt128 Wide;
    }

#pragma warning disable CS0649 // Never assigned: only the layout counts.
    private struct Wrap<T>
        where T : unmanaged
    {
        public T Value;
        public byte More;
    }
#pragma warning restore CS0649

    /// <summary>
    /// What the runtime answers by an exception in place of "no such type", or by ending the process.
    /// </summary>
    [Theory]
    [InlineData("A, B, Version=x")]
    [InlineData("A, B\0")]
    [InlineData("A, B, PublicKeyToken=12")]
    [InlineData("System.TypedReference[]")]
    [InlineData("System.Span`1[[System.Int32]][]")]
    [InlineData("System.Nullable`1[[System.String]]")]
    [InlineData("System.Int32", "[]", 20_000)]
    [InlineData("", "System.ValueTuple`1[[", 20_000)]
    public void A_name_that_is_none_of_a_type_names_no_type(string name, string more = "", int times = 0) =>
        Assert.Null(FrameTypes.Named(name + string.Concat(Enumerable.Repeat(more, times))));

    [Fact]
    public void A_name_names_its_type() => Assert.Equal(
        typeof(Wrap<(int, ArenaPointer<long>)>),
        FrameTypes.Named(typeof(Wrap<(int, ArenaPointer<long>)>).AssemblyQualifiedName!));

    [Fact]
    public void The_offsets_found_are_those_of_the_runtime()
    {
        Odd* odd = stackalloc Odd[1];
        Dictionary<string, long> expected = new()
        {
            [nameof(Odd.Byte)] = (byte*)&odd->Byte - (byte*)odd,
            [nameof(Odd.Bool)] = (byte*)&odd->Bool - (byte*)odd,
            [nameof(Odd.Char)] = (byte*)&odd->Char - (byte*)odd,
            [nameof(Odd.Long)] = (byte*)&odd->Long - (byte*)odd,
            [nameof(Odd.Decimal)] = (byte*)&odd->Decimal - (byte*)odd,
            [nameof(Odd.Nullable)] = (byte*)&odd->Nullable - (byte*)odd,
            [nameof(Odd.NullableStruct)] = (byte*)&odd->NullableStruct - (byte*)odd,
            [nameof(Odd.Enum)] = (byte*)&odd->Enum - (byte*)odd,
            [nameof(Odd.Pointer)] = (byte*)&odd->Pointer - (byte*)odd,
            [nameof(Odd.Function)] = (byte*)&odd->Function - (byte*)odd,
            [nameof(Odd.Native)] = (byte*)&odd->Native - (byte*)odd,
            [nameof(Odd.Vector)] = (byte*)&odd->Vector - (byte*)odd,
            [nameof(Odd.Nested)] = (byte*)&odd->Nested - (byte*)odd,
            [nameof(Odd.Array)] = (byte*)&odd->Array - (byte*)odd,
            [nameof(Odd.Empty)] = (byte*)&odd->Empty - (byte*)odd,
            [nameof(Odd.Float)] = (byte*)&odd->Float - (byte*)odd,
            [nameof(Odd.Time)] = (byte*)&odd->Time - (byte*)odd,
            [nameof(Odd.Guid)] = (byte*)&odd->Guid - (byte*)odd,
            [nameof(Odd.Pair)] = (byte*)&odd->Pair - (byte*)odd,
            [nameof(Odd.Arena)] = (byte*)&odd->Arena - (byte*)odd,
            [nameof(Odd.Half)] = (byte*)&odd->Half - (byte*)odd,
            [nameof(Odd.Wide)] = (byte*)&odd->Wide - (byte*)odd,
        };
        string[] lines = FrameLayout.Describe<Odd>().Split('\n');
        Assert.Equal($"size {sizeof(Odd)}", lines[0]);
        Dictionary<string, long> found = lines[1..].Select(line => line.Split(' ')).ToDictionary(
            parts => parts[^1], parts => long.Parse(parts[0], CultureInfo.InvariantCulture));
        Assert.Equal(expected.OrderBy(pair => pair.Key), found.OrderBy(pair => pair.Key));
    }

    [Fact]
    public void A_difference_names_what_only_one_side_has()
    {
        string one = FrameLayout.Describe<Wrap<int>>();
        string two = FrameLayout.Describe<Wrap<long>>();
        Assert.NotEqual(one, two);
        Assert.Contains("System.Int64", FrameLayout.Difference(one, two), StringComparison.Ordinal);
        Assert.Equal(one, FrameLayout.Describe<Wrap<int>>());
    }

    [Fact]
    public void A_table_grows_and_is_bound_again_and_two_arenas_have_their_own()
    {
        using FiberBench one = new();
        one.Host.Clock = 0;
        one.RunUntilIdle(() => Fiber.Start(20, Deep<byte>));
        Arena other = Snapshot.Tests.Memory.ArenaTesting.Make(name: "other");
        using ArenaCloser otherCloser = new(other);
        FiberSpace second = new(other, restartedGeneration: 0);
        using (FiberScheduler scheduler = new(second, "worker", one.Host))
        {
            using FiberTurn turn = scheduler.Enter();
            one.Host.WhenIdle.Clear();
            Fiber.Start(30, Deep<byte>);
            scheduler.RunToEnd(default);
        }

        // A new process binds them by name; the frames go on in it.
        one.Restart();
        one.Run(() => { });
        Assert.Empty(one.Space.Types.BindRecorded());
    }

    /// <summary>Each level is another type of frame.</summary>
    private static FiberTask Deep<T>(int levels) where T : unmanaged => DeepFibers.Go<T>(levels);
}

/// <summary>Apart, since async methods cannot be in an unsafe class.</summary>
internal static class DeepFibers
{
    internal static async FiberTask Go<T>(int levels)
        where T : unmanaged
    {
        T local = default;
        if (levels > 0) await Go<(T, byte)>(levels - 1);
        else await Fiber.Delay(TimeSpan.FromSeconds(1));
        if (!local.Equals(default(T))) throw new InvalidOperationException("a local has changed");
    }
}
