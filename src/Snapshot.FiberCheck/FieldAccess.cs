using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Snapshot.FiberCheck;

/// <summary>
/// An instruction of a state machine's code that reads, writes or points to one of its fields.
/// </summary>
/// <param name="Offset">Where it is in MoveNext.</param>
/// <param name="Operation">What it is.</param>
/// <param name="Before">The instruction before it.</param>
/// <param name="After">The instruction after it.</param>
internal sealed record FieldAccess(int Offset, OpCode Operation, OpCode Before, OpCode After)
{
    private static readonly Dictionary<int, OpCode> s_opCodes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => code.Value & 0xffff);

    /// <summary>The accesses to a field, in the order of the code.</summary>
    internal static List<FieldAccess> Of(StateMachine machine, HoistedField field)
    {
        List<FieldAccess> found = [];
        BlobReader code = machine.Body.GetILReader();
        OpCode before = OpCodes.Nop;
        while (code.RemainingBytes > 0)
        {
            int offset = code.Offset;
            OpCode operation = Next(ref code);
            BlobReader operand = code;
            code.Offset += OperandSize(operation, code);
            if (operation.OperandType == OperandType.InlineField
                && Means(MetadataTokens.EntityHandle(operand.ReadInt32()), machine, field))
            {
                BlobReader ahead = code;
                found.Add(new FieldAccess(offset, operation, before, Next(ref ahead)));
            }

            before = operation;
        }

        return found;
    }

    /// <summary>Whether the field may get a value here that is not null.</summary>
    internal bool IsStore =>
        Operation == OpCodes.Ldflda || (Operation == OpCodes.Stfld && Before != OpCodes.Ldnull);

    private static OpCode Next(ref BlobReader code)
    {
        const int Prefix = 0xfe;
        int first = code.ReadByte();
        return s_opCodes[first == Prefix ? (Prefix << 8) | code.ReadByte() : first];
    }

    private static int OperandSize(OpCode operation, BlobReader code) => operation.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * code.ReadInt32()),
        _ => 4,
    };

    /// <summary>Whether an operand is this field; in a generic state machine it is so by name.</summary>
    private static bool Means(EntityHandle operand, StateMachine machine, HoistedField field)
    {
        if (operand.Kind == HandleKind.FieldDefinition) return operand == field.Handle;
        MetadataReader reader = machine.Assembly.Reader;
        MemberReference member = reader.GetMemberReference((MemberReferenceHandle)operand);
        return member.Parent.Kind == HandleKind.TypeSpecification
            && reader.StringComparer.Equals(member.Name, field.FieldName)
            && machine.Assembly.TypeOf((TypeSpecificationHandle)member.Parent) is NamedType type
            && type.Handle == machine.Type;
    }
}
