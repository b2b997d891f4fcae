using Snapshot.Machines;

namespace Snapshot.Tests.Machines;

/// <summary>The machine that the guests of one class boot.</summary>
public sealed class MachineFixture : IDisposable
{
    private readonly Lazy<Machine> _machine =
        new(() => new Machine(GuestNeeds.Packages, GuestNeeds.Kernel, AppContext.BaseDirectory));

    internal Machine Machine => _machine.Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_machine.IsValueCreated) _machine.Value.Dispose();
    }
}
