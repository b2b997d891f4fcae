using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Snapshot.C.Interface;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Library;

/// <summary>The structures of snapshot.h, as the compiler lays them out and as C# does.</summary>
[Needs(Programs = ["cc"], Toolchain = true)]
public sealed class StructureTests : IDisposable
{
    private readonly LibraryWorkshop _workshop = new();

    public static TheoryData<string, Type> Structures => new()
    {
        { "snapshot_options", typeof(COptions) },
        { "snapshot_request", typeof(CRequest) },
        { "snapshot_handler", typeof(CHandler) },
        { "snapshot_outcome", typeof(COutcome) },
        { "snapshot_generation_info", typeof(CGeneration) },
        { "snapshot_job_options", typeof(CJobOptions) },
        { "snapshot_job_copy", typeof(CJobCopy) },
    };

    [MachineTheory]
    [MemberData(nameof(Structures))]
    public void Fields_are_where_the_compiler_has_them(string name, Type type)
    {
        FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public);
        string printed = string.Concat(fields.Select(
            field => $"    printf(\"{field.Name} %zu\\n\", offsetof({name}, {Snake(field.Name)}));\n"));
        string program = _workshop.Build(
            $"{name}.c",
            $"#include <snapshot_job.h>\n#include <stdio.h>\nint main(void)\n{{\n{printed}" +
            $"    printf(\"all %zu\\n\", sizeof({name}));\n    return 0;\n}}\n",
            "cc");
        string expected = string.Concat(fields.Select(
            field => $"{field.Name} {Marshal.OffsetOf(type, field.Name)}\n"));
        Assert.Equal(
            $"{expected}all {Marshal.SizeOf(type)}\n", Repository.Run(_workshop.PathOf(""), program).Good());
    }

    [MachineFact]
    public void Locks_are_as_large_as_those_of_NET()
    {
        string program = _workshop.Build(
            "locks.c",
            """
            #include <snapshot.h>
            #include <stdio.h>
            int main(void)
            {
                printf("%zu %zu %zu %zu\n", sizeof(snapshot_mutex), sizeof(snapshot_barrier),
                    sizeof(snapshot_semaphore), sizeof(snapshot_rwlock));
                return 0;
            }
            """,
            "cc");
        unsafe
        {
            Assert.Equal(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{sizeof(ArenaMutex)} {sizeof(ArenaBarrier)} {sizeof(ArenaSemaphore)} " +
                    $"{sizeof(ArenaReaderWriterLock)}\n"),
                Repository.Run(_workshop.PathOf(""), program).Good());
        }
    }

    public void Dispose() => _workshop.Dispose();

    /// <summary>TimeLimit as time_limit.</summary>
    private static string Snake(string name)
    {
        StringBuilder text = new();
        foreach (char letter in name)
        {
            if (char.IsUpper(letter) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(letter));
        }

        return text.ToString();
    }
}
