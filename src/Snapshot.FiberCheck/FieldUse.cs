using System.Reflection.Emit;
using System.Reflection.Metadata;

namespace Snapshot.FiberCheck;

/// <summary>How the code of a state machine uses one of its fields.</summary>
/// <param name="Offset">Where it first gets a value, or null when it has it from the caller.</param>
/// <param name="Kind">What it is for, if the compiler introduced it.</param>
internal sealed record FieldUse(int? Offset, TemporaryKind Kind)
{
    internal static FieldUse Of(StateMachine machine, HoistedField field)
    {
        if (field.Role is FieldRole.Parameter or FieldRole.This or FieldRole.Captured)
            return new FieldUse(null, TemporaryKind.Expression);

        List<FieldAccess> accesses = FieldAccess.Of(machine, field);
        bool isIn(FieldAccess access, ExceptionRegionKind kind) => machine.Body.ExceptionRegions.Any(region =>
            region.Kind == kind
            && access.Offset >= region.HandlerOffset
            && access.Offset < region.HandlerOffset + region.HandlerLength);

        if (field.Role == FieldRole.Temporary
            && accesses.Find(access => access.IsStore && isIn(access, ExceptionRegionKind.Catch)) is { } caught)
            return new FieldUse(caught.Offset, TemporaryKind.Exception);

        int? first = accesses.Find(access => access.IsStore)?.Offset;
        if (field.Type.Name.Contains("Enumerator", StringComparison.Ordinal))
            return new FieldUse(first, TemporaryKind.Foreach);
        if (accesses.Exists(access => access.Operation != OpCodes.Stfld && isIn(access, ExceptionRegionKind.Finally)))
            return new FieldUse(first, TemporaryKind.Using);

        // A foreach over an array or a string asks for its length; a value in an expression is passed on.
        bool isCounted = accesses.Exists(access =>
            access.Operation == OpCodes.Ldfld
            && (access.After == OpCodes.Ldlen || access.After == OpCodes.Callvirt));
        return new FieldUse(first, isCounted ? TemporaryKind.Foreach : TemporaryKind.Expression);
    }
}
