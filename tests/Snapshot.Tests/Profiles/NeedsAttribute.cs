using Xunit.Abstractions;
using Xunit.Sdk;

namespace Snapshot.Tests.Profiles;

/// <summary>
/// What a test, or each test of a class, needs of the machine: without it the test is skipped, and says why. For tests
/// that are marked <see cref="MachineFactAttribute"/> or <see cref="MachineTheoryAttribute"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class NeedsAttribute(params Capability[] capabilities) : Attribute
{
    /// <summary>What is needed.</summary>
    public IReadOnlyList<Capability> Capabilities => capabilities;

    /// <summary>What is missing for a test here, or null.</summary>
    internal static string? Missing(ITestMethod test)
    {
        IEnumerable<IAttributeInfo> needs =
            test.TestClass.Class.GetCustomAttributes(typeof(NeedsAttribute))
                .Concat(test.Method.GetCustomAttributes(typeof(NeedsAttribute)));
        foreach (IAttributeInfo need in needs)
        {
            foreach (Capability capability in ((NeedsAttribute)((ReflectionAttributeInfo)need).Attribute).Capabilities)
            {
                MachineCapability found = MachineCapabilities.Current.Of(capability);
                if (!found.Available) return $"this machine lacks {found.Name}: {found.Detail}";
            }
        }

        return null;
    }
}
