using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Snapshot.Tests.Profiles;

/// <summary>
/// A fact that is skipped where the machine lacks what it <see cref="NeedsAttribute">needs</see>.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Snapshot.Tests.Profiles." + nameof(MachineFactDiscoverer), "Snapshot.Tests")]
public sealed class MachineFactAttribute : FactAttribute;

/// <summary>
/// A theory that is skipped where the machine lacks what it <see cref="NeedsAttribute">needs</see>.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Snapshot.Tests.Profiles." + nameof(MachineTheoryDiscoverer), "Snapshot.Tests")]
public sealed class MachineTheoryAttribute : TheoryAttribute;

/// <summary>Makes the cases of <see cref="MachineFactAttribute"/>.</summary>
public sealed class MachineFactDiscoverer(IMessageSink messages) : FactDiscoverer(messages)
{
    /// <inheritdoc/>
    protected override IXunitTestCase CreateTestCase(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod,
        IAttributeInfo factAttribute) =>
        new MachineTestCase(
            DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(),
            discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod);
}

/// <summary>Makes the cases of <see cref="MachineTheoryAttribute"/>.</summary>
public sealed class MachineTheoryDiscoverer(IMessageSink messages) : TheoryDiscoverer(messages)
{
    /// <inheritdoc/>
    protected override IEnumerable<IXunitTestCase> CreateTestCasesForDataRow(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod,
        IAttributeInfo theoryAttribute,
        object[] dataRow) =>
        [new MachineTestCase(
            DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(),
            discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod, dataRow)];
}

/// <summary>A test that looks at the machine before it runs.</summary>
public sealed class MachineTestCase : XunitTestCase
{
    /// <summary>For the deserializer.</summary>
    [Obsolete(
        "Called by the deserializer; should only be called by deriving classes for deserialization purposes")]
    public MachineTestCase()
    {
    }

    internal MachineTestCase(
        IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions options,
        ITestMethod method,
        object[]? arguments = null)
        : base(messages, display, options, method, arguments)
    {
    }

    /// <inheritdoc/>
    protected override string? GetSkipReason(IAttributeInfo factAttribute) =>
        base.GetSkipReason(factAttribute) ?? NeedsAttribute.Missing(TestMethod, TestMethodArguments);
}
