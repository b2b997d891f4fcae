using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>How the code of a state machine uses one of its fields.</summary>
/// <param name="Offsets">Where it gets a value, the best place first; none when it is the caller's.</param>
/// <param name="Kind">What it is for, if the compiler introduced it.</param>
internal sealed record FieldUse(int[] Offsets, TemporaryKind Kind)
{
    internal static FieldUse Of(StateMachine machine, HoistedField field)
    {
        if (field.Role is FieldRole.Parameter or FieldRole.This or FieldRole.Captured)
            return new FieldUse([], TemporaryKind.Expression);

        List<FieldAccess> accesses = FieldAccess.Of(machine, field);
        ImmutableArray<ExceptionRegion> regions = machine.Body.ExceptionRegions;
        FieldAccess? caught = accesses.Find(access =>
            access.IsStore && IsIn(access, ExceptionRegionKind.Catch, regions));
        if (field.Role == FieldRole.Temporary && caught is not null)
            return new FieldUse([caught.Offset, accesses[0].Offset], TemporaryKind.Exception);

        int[] first = [.. accesses.Where(access => access.IsStore).Take(1).Select(access => access.Offset)];
        if (field.Type.Name.Contains("Enumerator", StringComparison.Ordinal))
            return new FieldUse(first, TemporaryKind.Foreach);
        if (accesses.Exists(access =>
            access.Operation != OpCodes.Stfld && IsIn(access, ExceptionRegionKind.Finally, regions)))
            return new FieldUse(first, TemporaryKind.Using);

        // A foreach over an array or a string asks for its length; a value in an expression is passed on.
        bool isCounted = accesses.Exists(access =>
            access.Operation == OpCodes.Ldfld
            && (access.After == OpCodes.Ldlen || access.After == OpCodes.Callvirt));
        return new FieldUse(first, isCounted ? TemporaryKind.Foreach : TemporaryKind.Expression);
    }

    private static bool IsIn(
        FieldAccess access, ExceptionRegionKind kind, ImmutableArray<ExceptionRegion> regions) =>
        regions.Any(region =>
            region.Kind == kind
            && access.Offset >= region.HandlerOffset
            && access.Offset < region.HandlerOffset + region.HandlerLength);
}
