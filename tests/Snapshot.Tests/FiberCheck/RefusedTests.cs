using Xunit;

namespace Snapshot.Tests.FiberCheck;

/// <summary>Every way in which a fiber method can keep a reference is found, named and located.</summary>
public sealed class RefusedTests
{
    private const string Unmanaged =
        "an unmanaged value (ArenaPointer<T>, ArenaArray<T>, a struct, an index)";
    private const string ForLocal = $"Keep {Unmanaged} instead, or end its use before the await.";
    private const string ForParameter =
        $"A parameter that is used at all is kept to the end: pass {Unmanaged} instead.";

    private const string ForThis = $"Make it static and pass {Unmanaged} instead of the object.";
    private const string ForCapture = $"Make it static and pass {Unmanaged} as its argument.";
    private const string ForTry =
        "Note in an unmanaged local what happened, and await after the try statement.";
    private const string ForForeach =
        "what a foreach goes through. Await outside the foreach, or loop over an index, an ArenaArray<T> " +
        "or an enumerator that is an unmanaged struct.";

    private const string ForUsing = "what a using disposes of. Dispose of it before the await.";
    private const string ForException =
        $"an exception kept for an await in catch or finally, or by await using. {ForTry}";
    private const string ForExpression =
        "a value computed before an await in the same expression. Await first, into a local.";

    private const string ForClosure =
        "captured by a lambda or local function inside. Make that static and pass arguments, or end its " +
        "use before the await.";

    [Theory]
    [InlineData(
        "/*!*/string s = Calls.Text(); await Fiber.Safepoint(); Calls.Use(s);",
        $"local 's' of type string. {ForLocal}")]
    [InlineData(
        "string? late; await Fiber.Safepoint(); /*!*/late = Calls.Text(); await Fiber.Safepoint(); " +
        "Calls.Use(late);",
        $"local 'late' of type string. {ForLocal}")]
    [InlineData(
        "/*!*/(int, string) pair = (1, Calls.Text()); await Fiber.Safepoint(); Calls.Use(pair);",
        $"local 'pair' of type (int, string), whose field 'Item2' is of type string. {ForLocal}")]
    [InlineData(
        "/*!*/Dictionary<int, long[]> map = new(); await Fiber.Safepoint(); Calls.Use(map);",
        $"local 'map' of type Dictionary<int, long[]>. {ForLocal}")]
    [InlineData(
        "/*!*/Memory<byte> bytes = default; await Fiber.Safepoint(); Calls.Use(bytes);",
        $"local 'bytes' of type Memory<byte>, whose field '_object' is of type object. {ForLocal}")]
    [InlineData(
        "/*!*/dynamic d = 1; await Fiber.Safepoint(); Calls.Use<object>(d);",
        $"local 'd' of type object. {ForLocal}")]
    [InlineData(
        "/*!*/using MemoryStream m = new(); await Fiber.Safepoint();",
        $"local 'm' of type MemoryStream. {ForLocal}")]
    public void A_local_used_after_an_await(string body, string what) => AssertRefused(Method(body), what);

    [Fact]
    public void A_reference_deep_in_a_struct_with_the_way_to_it() => AssertRefused(
        $$"""
        struct Outer<T> { public int Number; public Inner<T> Inside { get; set; } }
        struct Inner<T> { public long Number; public T Value; }
        {{Method("/*!*/Outer<Version> o = default; await Fiber.Safepoint(); Calls.Use(o);")}}
        """,
        $"local 'o' of type Outer<Version>, whose field 'Inside.Value' is of type Version. {ForLocal}");

    [Theory]
    [InlineData("int n, string x", "string")]
    [InlineData("int n, int?[] x", "int?[]")]
    [InlineData("int n, Action<int> x", "Action<int>")]
    public void A_parameter_also_when_it_is_not_used_after_the_await(string parameters, string type) =>
        AssertRefused(
            $"static class C {{ static async FiberTask M({parameters}) " +
            "{ /*!*/Calls.Use(x); await Fiber.Safepoint(); } }",
            $"parameter 'x' of type {type}. {ForParameter}");

    [Fact]
    public void The_object_of_an_instance_method() => AssertRefused(
        "class C { int _n; async FiberTask M() { /*!*/await Fiber.Safepoint(); _n++; } }",
        $"'this' of type C. {ForThis}");

    [Fact]
    public void The_reference_in_a_struct_of_an_instance_method() => AssertRefused(
        "struct C { string _s; async FiberTask M() { /*!*/await Fiber.Safepoint(); Calls.Use(_s); } }",
        $"'this' of type C, whose field '_s' is of type string. {ForThis}");

    [Fact]
    public void What_a_lambda_captures() => AssertRefused(
        """
        static class C
        {
            static void M(int a, long b)
            {
                Func<FiberTask> lambda = async () =>
                {
                    /*!*/await Fiber.Safepoint();
                    Calls.Use(a + b);
                };
            }
        }
        """,
        $"captured variables 'a', 'b'. {ForCapture}",
        "fiber lambda in 'C.M'");

    [Fact]
    public void What_a_local_function_captures() => AssertRefused(
        """
        static class C
        {
            static void M(int a)
            {
                Func<FiberTask> function = Inner;
                async FiberTask Inner() { /*!*/await Fiber.Safepoint(); Calls.Use(a); }
            }
        }
        """,
        $"captured variable 'a'. {ForCapture}",
        "fiber local function 'Inner' in 'C.M'");

    [Fact]
    public void The_object_that_a_lambda_uses() => AssertRefused(
        """
        class C
        {
            int _n;
            Func<FiberTask> M() => async () => { /*!*/await Fiber.Safepoint(); _n++; };
        }
        """,
        $"'this' of type C. {ForThis}",
        "fiber lambda in 'C.M'");

    [Fact]
    public void A_local_that_a_lambda_inside_captures() => AssertRefused(
        Method("/*!*/int n = 1; Calls.Use<Action>(() => n++); await Fiber.Safepoint(); Calls.Use(n);"),
        $"variable 'n' {ForClosure}");

    [Theory]
    [InlineData("List<long>", "List<long>.Enumerator [<>7__wrap1]", "_list", "List<long>")]
    [InlineData("IEnumerable<int>", "IEnumerator<int> [<>7__wrap1]", "", "")]
    [InlineData("int[]", "int[] [<>7__wrap1]", "", "")]
    [InlineData("string", "string [<>7__wrap1]", "", "")]
    public void What_a_foreach_with_an_await_goes_through(
        string all, string type, string field, string fieldType) =>
        AssertRefused(
            $$"""
            static class C
            {
                static {{all}} All() => null!;
                static async FiberTask M() { foreach (var one in /*!*/All()) await Fiber.Safepoint(); }
            }
            """,
            "compiler temporary of type " + (field.Length == 0
                ? type
                : type.Replace(
                    " [", $", whose field '{field}' is of type {fieldType} [", StringComparison.Ordinal)) +
            $", {ForForeach}");

    [Theory]
    [InlineData(
        "/*!*/using (new MemoryStream()) { await Fiber.Safepoint(); }",
        $"compiler temporary of type MemoryStream [<>7__wrap1], {ForUsing}")]
    [InlineData(
        "try { Calls.Text(); } finally { /*!*/await Fiber.Safepoint(); }",
        $"compiler temporary of type object [<>7__wrap1], {ForException}")]
    [InlineData(
        "try { Calls.Text(); } catch { /*!*/await Fiber.Safepoint(); throw; }",
        $"compiler temporary of type object [<>7__wrap1], {ForException}")]
    [InlineData(
        "try { Calls.Text(); } catch (IOException e) { /*!*/await Fiber.Safepoint(); Calls.Use(e); }",
        $"local 'e' of type IOException. {ForTry}")]
    [InlineData(
        "/*!*/await using Closing c = default; await Fiber.Safepoint();",
        $"compiler temporary of type object [<>7__wrap2], {ForException}")]
    public void What_a_statement_keeps_to_end_itself(string body, string what) => AssertRefused(
        $$"""
        struct Closing { public FiberTask DisposeAsync() => default; }
        {{Method(body)}}
        """,
        what);

    [Theory]
    [InlineData(
        "/*!*/F(Calls.Text(), await Calls.Number());",
        $"compiler temporary of type string [<>7__wrap1], {ForExpression}")]
    [InlineData(
        "/*!*/Make().Number += await Calls.Number();",
        $"compiler temporary of type Thing [<>7__wrap1], {ForExpression}")]
    [InlineData(
        "/*!*/(new int[2])[0] = await Calls.Number();",
        $"compiler temporary of type int[] [<>7__wrap1], {ForExpression}")]
    public void A_value_in_an_expression_with_an_await(string body, string what) => AssertRefused(
        $$"""
        class Thing { public int Number; }
        static class C
        {
            static Thing Make() => new();
            static void F(string s, int n) { }
            static async FiberTask M() { {{body}} }
        }
        """,
        what);

    [Theory]
    [InlineData("")]
    [InlineData("where T : struct")]
    [InlineData("where T : class")]
    [InlineData("where T : IComparable<T>")]
    public void A_local_and_a_parameter_of_a_type_that_may_be_managed(string constraint)
    {
        AssertRefused(
            $"static class C {{ static async FiberTask M<T>(T x) {constraint} " +
            "{ /*!*/Calls.Use(x); await Fiber.Safepoint(); } }",
            "parameter 'x' of type T, which may be managed. Constrain it: where T : unmanaged.");
        AssertRefused(
            "static class C<TValue> " + constraint.Replace(" T ", " TValue ").Replace("<T>", "<TValue>") +
            "{ static async FiberTask M() { /*!*/(int, TValue) v = default; await Fiber.Safepoint(); " +
            "Calls.Use(v); } }",
            "local 'v' of type (int, TValue), whose field 'Item2' is of type TValue, which may be managed. " +
            "Constrain it: where TValue : unmanaged.");
    }

    [Fact]
    public void Methods_of_every_kind_are_named_as_they_were_written()
    {
        const string Body = "{ /*!*/string s = Calls.Text(); await Fiber.Safepoint(); Calls.Use(s); }";
        AssertRefused(
            $"interface I {{ FiberTask Run(); }} class C : I {{ async FiberTask I.Run() {Body} }}",
            $"local 's' of type string. {ForLocal}",
            "fiber method 'C.Run'");
        AssertRefused(
            $"namespace Deep.Down {{ class C<T> {{ class D {{ static async FiberTask M() {Body} }} }} }}",
            $"local 's' of type string. {ForLocal}",
            "fiber method 'C.D.M'");
        AssertRefused(
            $"class C {{ static readonly Func<FiberTask> s_run = static async () => {Body}; }}",
            $"local 's' of type string. {ForLocal}",
            "fiber lambda in 'C'");
        AssertRefused(
            $"class C {{ static async FiberTask<long> M() {Body[..^1]} return 1; }} }}",
            $"local 's' of type string. {ForLocal}");
    }

    private static string Method(string body) =>
        $"static class C {{ static async FiberTask M() {{ {body}}} }}";

    /// <summary>Asserts that there is one error, at the mark, with this reason.</summary>
    private static void AssertRefused(string source, string what, string method = "fiber method 'C.M'")
    {
        using FiberSource compiled = new(source);
        Assert.Equal(
            [$"{compiled.Marked()}: error SNAP1001: {method} keeps a managed reference across an await: " +
                $"{what}"],
            compiled.Check());
    }
}
