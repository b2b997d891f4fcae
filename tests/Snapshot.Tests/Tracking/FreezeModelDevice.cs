using Snapshot.Tests.Memory.Locks;
using static Snapshot.Tests.Tracking.FreezeModel;

namespace Snapshot.Tests.Tracking;

/// <summary>
/// A device of the model, and who opens and closes page 1 for it: <c>DevicePages</c>. Once it has pinned the
/// page it writes without a fault, but not in the pause.
/// </summary>
/// <param name="flaw">What is wrong on purpose.</param>
/// <param name="span">The span is opened, or the page alone.</param>
internal sealed class FreezeModelDevice(FreezeFlaw flaw, bool span)
{
    internal const byte Page = 1;

    internal ModelStep<State>? Step(State state)
    {
        Device device = state.Device;
        bool mayHold = !state.CollectHolds || flaw == FreezeFlaw.OpensDuringCollect;
        switch (device.At)
        {
            case DeviceAt.Outside when device.Opens > 0 && mayHold:
                State opened = state.With(Page, state[Page].With(Bits.Open)) with
                {
                    Device = device with { At = DeviceAt.Opening, Opens = (byte)(device.Opens - 1) },
                    OpeningHolds = true,
                };
                return new("an opening begins", flaw == FreezeFlaw.OpensWithoutSecuring
                    ? opened.Unprotect(Page)
                    : opened with
                    {
                        Securer = new(
                            ServerAt.Lock, Purpose.Serve, Page, span, 0, state.Changes, NoSlot, false),
                    });
            case DeviceAt.Opening when state.Securer.At == ServerAt.Idle:
                return new("page 1 is open, and pinned", state with
                {
                    Device = device with { At = DeviceAt.Pinned },
                    OpeningHolds = false,
                });
            case DeviceAt.Pinned when device.Writes > 0 && !state.Stop:
                return new("the device writes page 1", state.With(Page, state[Page].Store()) with
                {
                    Device = device with { Writes = (byte)(device.Writes - 1) },
                });
            case DeviceAt.Pinned when device.Writes == 0 && mayHold:
                return new(
                    "page 1 is closed",
                    state.With(Page, state[Page].Without(Bits.Open).With(Bits.Dropped)) with
                    { Device = device with { At = DeviceAt.Outside } });
            default:
                return null;
        }
    }
}
