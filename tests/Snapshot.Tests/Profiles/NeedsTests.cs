using System.Reflection;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Snapshot.Tests.Profiles;

/// <summary>
/// What tests need is looked at, so that a machine without it shows them skipped and not red.
/// </summary>
public sealed class NeedsTests
{
    public static TheoryData<Enum> Names =>
        [.. All<TrackingMechanism>(), .. All<CaptureMode>(), .. All<RestartFill>()];

    [Fact]
    public void Whoever_has_needs_looks_at_them()
    {
        IEnumerable<MethodInfo> tests = typeof(NeedsTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .Where(method => method.GetCustomAttribute<FactAttribute>() is not null)
            .Where(method => method.ReflectedType!.IsDefined(typeof(NeedsAttribute))
                || method.IsDefined(typeof(NeedsAttribute)));
        Assert.All(tests, test => Assert.True(
            test.GetCustomAttribute<FactAttribute>() is MachineFactAttribute or MachineTheoryAttribute,
            $"{test.ReflectedType!.Name}.{test.Name} has [Needs] and runs all the same"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_row_that_names_what_is_not_here_is_skipped_with_the_reason(Enum named)
    {
        MachineCapability? found =
            NeedsAttribute.NamedBy(named) is { } capability
                ? MachineCapabilities.Current.Of(capability) : null;
        Assert.Equal(
            found is null or { Available: true } ? null : $"this machine lacks {found.Name}: {found.Detail}",
            NeedsAttribute.Missing(Method(nameof(NeedsNothing)), [named]));
    }

    [Fact]
    public void A_program_that_is_not_there_is_named() => Assert.Equal(
        "no-such-program is not on the PATH",
        NeedsAttribute.Missing(Method(nameof(NeedsAProgram)), null));

    [Fact]
    public void Who_needs_nothing_misses_nothing() =>
        Assert.Null(NeedsAttribute.Missing(Method(nameof(NeedsNothing)), [1, "text"]));

    private static void NeedsNothing()
    {
    }

    [Needs(Programs = ["sh", "no-such-program"])]
    private static void NeedsAProgram()
    {
    }

    private static IEnumerable<Enum> All<T>()
        where T : struct, Enum => Enum.GetValues<T>().Cast<Enum>();

    private static TestMethod Method(string name)
    {
        Type type = typeof(NeedsTests);
        TestCollection collection = new(new TestAssembly(Reflector.Wrap(type.Assembly)), null, "needs");
        IMethodInfo method =
            Reflector.Wrap(type.GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!);
        return new TestMethod(new TestClass(collection, Reflector.Wrap(type)), method);
    }
}
