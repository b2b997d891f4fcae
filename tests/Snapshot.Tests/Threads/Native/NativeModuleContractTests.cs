using System.Buffers.Binary;
using Snapshot.NativeThreads;
using Xunit;

namespace Snapshot.Tests.Threads.Native;

/// <summary>
/// A good module keeps the contract; each rule refuses a module that breaks it, and names the offender.
/// </summary>
public sealed class NativeModuleContractTests : IDisposable
{
    private const string Nothing = "int work(int x) { return x + 1; }";

    private readonly ModuleWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [Fact]
    public void A_module_made_by_the_command_keeps_the_contract()
    {
        ElfImage module = _workshop.Good();
        AssertKept(module);
        Assert.Contains(module.Symbols, symbol => symbol is { Name: "sin", IsImport: true });
        Assert.NotNull(NativeModuleBase.At(module.Extent.Start));
        Assert.Same(module.Path, NativeModuleContract.Require(module.Path, []).Path);
    }

    [Fact]
    public void A_module_with_packed_relocations_or_the_older_hash_keeps_the_contract()
    {
        AssertKept(_workshop.Good(more: "-Wl,-z,pack-relative-relocs"));
        AssertKept(_workshop.Good(more: "-Wl,--hash-style=sysv"));
        AssertKept(_workshop.Good(more: "-D_FORTIFY_SOURCE=2"));
        AssertKept(_workshop.Good(more: "-fstack-protector-all"));
        AssertKept(_workshop.Good(Nothing));
    }

    [ToolFact("g++")]
    public void A_module_of_C_plus_plus_with_the_shim_keeps_the_contract()
    {
        const string Source = """
            #include <map>
            #include <memory>
            #include <stdexcept>
            #include <string>
            template <class T> struct Counted { static T count; };
            template <class T> T Counted<T>::count = T();
            struct Shape { virtual ~Shape() {} virtual int area() = 0; };
            struct Square : Shape { int side = 3; int area() override { return side * side; } };
            extern "C" int work(int n)
            {
                static std::string name = std::to_string(n);
                std::map<int, std::shared_ptr<Shape>> shapes;
                for (int i = 0; i < n; i++) shapes[i] = std::make_shared<Square>();
                try { if (n > 3) throw std::runtime_error(name); }
                catch (const std::exception &error) { return (int)std::string(error.what()).size(); }
                return shapes.at(0)->area() + Counted<int>::count++;
            }
            """;
        const string Allocator = """
            #include <stddef.h>
            #pragma GCC visibility push(hidden)
            static _Alignas(16) char heap[1 << 20];
            static size_t used;
            void *malloc(size_t size) { void *block = heap + used; used += (size + 15) & ~15ul; return block; }
            void free(void *block) { (void)block; }
            void *realloc(void *block, size_t size) { (void)block; return malloc(size); }
            int pthread_mutex_lock(void *mutex) { (void)mutex; return 0; }
            int pthread_mutex_unlock(void *mutex) { (void)mutex; return 0; }
            """;
        string path = _workshop.NextModule();
        string[] shim = [.. ModuleWorkshop.CxxShim.Append(_workshop.Write(Allocator)).Select(source =>
        {
            string part = _workshop.NextModule() + ".o";
            ModuleWorkshop.AssertDone(
                _workshop.Run(
                    "cc", "-O2", "-D_GNU_SOURCE", "-fno-builtin", "-ffunction-sections", "-c", source, "-o",
                    part));
            return part;
        })];
        string user = _workshop.Write(Source, ".cpp");
        ModuleWorkshop.AssertDone(_workshop.Run(["--no-runtime", "g++", "-O2", user, .. shim, "-o", path]));
        ElfImage module = ElfImage.Open(path);
        AssertKept(module);
        Assert.NotEmpty(UnwindRules.UnwinderOf(module));

        ModuleWorkshop.AssertDone(_workshop.Run(["--no-runtime", "g++", "-s", user, .. shim, "-o", path]));
        AssertBroken(ElfImage.Open(path), NativeModuleRule.StaticSymbols, ".symtab");
    }

    [ToolFact("g++")]
    public void A_module_with_the_shared_runtime_of_C_plus_plus_is_refused()
    {
        const string Source =
            "extern \"C\" int work(int n) { try { if (n) throw n; } catch (int m) { return m; } return 0; }";
        string path = _workshop.NextModule();
        ModuleWorkshop.AssertDone(
            _workshop.Run("--no-runtime", "gcc", _workshop.Write(Source, ".cpp"), "-o", path,
            "-l:libstdc++.so.6", "-l:libgcc_s.so.1"));
        NativeModuleViolation[] violations = [.. NativeModuleContract.ViolationsOf(ElfImage.Open(path), [])];
        Assert.Contains(violations, violation => violation is
        {
            Rule: NativeModuleRule.NeededLibrary, Subject: "libstdc++.so.6", Remedy: "Link it with " +
                "-static-libstdc++.",
        });
        Assert.Contains(violations, violation => violation.Subject == "__cxa_throw");
    }

    [ToolFact("gfortran")]
    public void A_module_of_Fortran_may_compute_but_not_write_nor_have_results_allocated()
    {
        const string Good = """
            subroutine work(a, n) bind(c)
              use iso_c_binding
              integer(c_int), value :: n
              real(c_double) :: a(n)
              character(len=8) :: name
              integer :: i
              do i = 1, n
                a(i) = sqrt(a(i)) + sin(a(i)) ** 1.5d0
              end do
              name = 'abc'
              if (index(name, 'c') == 4) error stop
            end subroutine
            """;
        string path = _workshop.NextModule();
        ModuleWorkshop.AssertDone(
            _workshop.Run("--no-runtime", "gfortran", _workshop.Write(Good, ".f90"), "-o", path));
        AssertKept(ElfImage.Open(path));

        const string Bad = """
            subroutine work(a, b, c) bind(c)
              use iso_c_binding
              real(c_double) :: a(64, 64), b(64, 64), c(64, 64)
              c = matmul(a, b)
              print *, c(1, 1)
            end subroutine
            """;
        ModuleWorkshop.AssertDone(
            _workshop.Run("--no-runtime", "gfortran", _workshop.Write(Bad, ".f90"), "-o", path));
        string[] refused = [.. NativeModuleContract.ViolationsOf(ElfImage.Open(path), []).Select(
            v => v.Subject)];
        Assert.Contains("_gfortran_matmul_r8", refused);
        Assert.Contains("_gfortran_st_write", refused);
    }

    [Fact]
    public void A_module_at_another_base_is_refused()
    {
        const string Elsewhere = "-Wl,-Ttext-segment=0x210000000000";
        AssertBroken(
            _workshop.Spoilt(Nothing, flag => flag.Contains("-Ttext-segment") ? Elsewhere : flag),
            NativeModuleRule.Base,
            "0x210000000000");
        AssertBroken(
            _workshop.Spoilt(Nothing, flag => flag.Contains("-Ttext-segment") ? null : flag),
            NativeModuleRule.Base,
            "linked at 0x0,");
    }

    [Fact]
    public void A_module_longer_than_its_slot_is_refused()
    {
        ElfImage module = Patched(_workshop.Good(Nothing), (image, bytes) =>
        {
            ElfSegment last = image.Loaded.Last();
            int at = HeaderOf(image, segment => segment == last);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at + 40), NativeModuleBase.Size + 1);
        });
        AssertBroken(module, NativeModuleRule.Length, "base");
    }

    [Fact]
    public void A_program_is_refused()
    {
        string path = _workshop.NextModule();
        string source = _workshop.Write("int main(void) { return 0; }");
        string[] link = ["-fPIE", "-pie", "-Wl,-z,now,-z,relro,-Bsymbolic"];
        ModuleWorkshop.AssertDone(Structure.Repository.Run("/", "cc", [.. link, source, "-o", path]));
        Assert.Contains(
            NativeModuleContract.ViolationsOf(ElfImage.Open(path), []),
            violation => violation.Rule == NativeModuleRule.Library);

        link = [.. link, "-Wl,-Ttext-segment=0x180000000000"];
        ModuleWorkshop.AssertDone(Structure.Repository.Run("/", "cc", [.. link, source, "-o", path]));
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => NativeModuleContract.Require(path, []));
        Assert.Contains("a program", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_that_is_bound_lazily_is_refused()
    {
        ElfImage module = _workshop.Spoilt(
            ModuleWorkshop.GoodSource, flag => flag == "-Wl,-z,now" ? "-Wl,-z,lazy" : flag);
        IReadOnlyList<NativeModuleViolation> violations = NativeModuleContract.ViolationsOf(module, []);
        Assert.Contains(violations, violation => violation.Subject == "DF_BIND_NOW");
        Assert.Contains(violations, violation => violation is
        {
            Rule: NativeModuleRule.LinkageTable, Subject: "sin",
        } && violation.Problem.Contains(".got.plt", StringComparison.Ordinal));
    }

    [Fact]
    public void A_module_without_a_part_that_is_read_only_after_relocation_is_refused() => AssertBroken(
        _workshop.Spoilt(ModuleWorkshop.GoodSource, flag => flag == "-Wl,-z,relro" ? "-Wl,-z,norelro" : flag),
        NativeModuleRule.ReadOnlyAfterRelocation,
        "PT_GNU_RELRO");

    [Fact]
    public void A_variable_that_holds_the_address_of_an_import_is_refused()
    {
        ElfImage module = _workshop.Spoilt("#include <math.h>\ndouble (*hook)(double) = sin;\n" + Nothing);
        IReadOnlyList<NativeModuleViolation> violations = NativeModuleContract.ViolationsOf(module, []);
        Assert.Equal(
            [NativeModuleRule.LinkageTable, NativeModuleRule.AddressOfImport],
            violations.Select(v => v.Rule));
        Assert.All(violations, violation => Assert.Equal("sin", violation.Subject));
        Assert.Contains(".data", violations[0].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_function_that_takes_the_address_of_an_import_is_refused() => AssertBroken(
        _workshop.Spoilt("#include <math.h>\nvoid *work(void) { return (void *)cos; }\n"),
        NativeModuleRule.AddressOfImport,
        "'cos'");

    [Fact]
    public void Relocations_in_code_are_refused() => AssertBroken(
        _workshop.Spoilt(
            Nothing + "\n__asm__(\".text\\n.quad work\\n\");",
            flag => flag == "-Wl,-z,text" ? "-Wl,-z,notext" : flag),
        NativeModuleRule.TextRelocations,
        ".text");

    [Fact]
    public void An_executable_stack_is_refused() => AssertBroken(
        _workshop.Spoilt(Nothing, flag => flag == "-Wl,-z,noexecstack" ? "-Wl,-z,execstack" : flag),
        NativeModuleRule.Stack,
        "PT_GNU_STACK");

    [Fact]
    public void Memory_that_is_writable_and_executable_is_refused()
    {
        ElfImage module = Patched(_workshop.Good(Nothing), (image, bytes) =>
            bytes[HeaderOf(image, segment => segment.IsWritable) + 4] |= (byte)ElfAccess.Execute);
        AssertBroken(module, NativeModuleRule.WritableCode, "writable and executable");
    }

    [Theory]
    [InlineData("__thread int grain;", "global-dynamic", "DTPMOD64")]
    [InlineData("static __thread int grain;", "global-dynamic", "DTPMOD64")]
    [InlineData("__thread int grain;", "local-dynamic", "DTPMOD64")]
    public void Thread_local_variables_that_the_dynamic_linker_allocates_are_refused(
        string variable, string model, string relocation)
    {
        ElfImage module = _workshop.Spoilt(
            variable + "\nint work(int x) { return grain += x; }",
            flag => flag.StartsWith("-ftls-model", StringComparison.Ordinal) ? "-ftls-model=" + model : flag);
        AssertBroken(module, NativeModuleRule.ThreadLocal, "'grain'", relocation);
    }

    [Fact]
    public void Thread_local_descriptors_are_refused() => AssertBroken(
        _workshop.Spoilt(
            "static __thread int grain;\nint work(int x) { return grain += x; }",
            flag => flag.StartsWith("-ftls-model", StringComparison.Ordinal)
                ? "-ftls-model=global-dynamic" : flag,
            ["-mtls-dialect=gnu2"]),
        NativeModuleRule.ThreadLocal,
        "'grain'",
        "TLSDESC");

    [Fact]
    public void Thread_local_variables_of_which_nothing_says_where_they_are_are_refused() => AssertBroken(
        _workshop.Spoilt("__thread int grain;\n" + Nothing), NativeModuleRule.ThreadLocal, "'grain'",
        "DF_STATIC_TLS");

    [Fact]
    public void A_module_without_a_table_for_stack_walks_is_refused() => AssertBroken(
        _workshop.Spoilt(Nothing, flag => flag == "-Wl,--eh-frame-hdr" ? "-Wl,--no-eh-frame-hdr" : flag),
        NativeModuleRule.UnwindTables,
        "PT_GNU_EH_FRAME");

    [Fact]
    public void Functions_without_unwind_entries_are_refused()
    {
        AssertBroken(
            _workshop.Spoilt(
                Nothing, flag => flag.Contains("-unwind-tables") ? "-fno-asynchronous-unwind-tables" : flag),
            NativeModuleRule.UnwindTables,
            "PT_GNU_EH_FRAME");
        const string Assembler = """
            .text
            .globl work
            .type work, @function
            work: ret
            .size work, . - work
            .section .note.GNU-stack, "", @progbits
            """;
        AssertBroken(
            _workshop.Spoilt(
                Assembler + "\n", extension: ".s", more: [_workshop.Write("int other(void) { return 5; }")]),
            NativeModuleRule.UnwindTables,
            "'work'",
            ".cfi_startproc");
    }

    [Fact]
    public void A_module_without_a_build_id_is_refused() => AssertBroken(
        _workshop.Spoilt(Nothing, flag => flag.Contains("--build-id") ? "-Wl,--build-id=none" : flag),
        NativeModuleRule.BuildId,
        "build id");

    [Fact]
    public void Names_of_the_module_that_others_could_take_are_refused() => AssertBroken(
        _workshop.Spoilt(
            "int shared;\nint work(int x) { return shared += x; }",
            flag => flag == "-Wl,-Bsymbolic" ? null : flag),
        NativeModuleRule.OwnSymbols,
        "'shared'");

    [Fact]
    public void What_another_kernel_module_provides_may_be_imported()
    {
        ElfImage provider = _workshop.Good("int provided(int x) { return 2 * x; }");
        string source = _workshop.Write("int provided(int); int work(int x) { return provided(x) + 1; }");
        string path = _workshop.NextModule();
        ModuleWorkshop.AssertDone(_workshop.Run("--no-runtime", "cc", source, provider.Path, "-o", path));
        ElfImage user = ElfImage.Open(path);
        string[] subjects = [.. NativeModuleContract.ViolationsOf(user, []).Select(
            violation => violation.Subject)];
        Assert.Equal([provider.Path, "provided"], subjects);
        Assert.DoesNotContain(
            NativeModuleContract.ViolationsOf(user, [provider]),
            violation => violation.Rule == NativeModuleRule.Import);
    }

    [Fact]
    public void All_violations_are_told_at_once()
    {
        ElfImage module = _workshop.Spoilt(
            "#include <stdio.h>\n#include <stdlib.h>\nvoid *work(void) { puts(\"\"); return malloc(5); }",
            flag => flag.Contains("--build-id") ? "-Wl,--build-id=none" : flag);
        SnapshotException error =
            Assert.Throws<SnapshotException>(() => NativeModuleContract.Require(module.Path, []));
        Assert.Equal(SnapshotErrorCode.NativeModule, error.Code);
        Assert.Equal(module.Path, error.Path);
        Assert.Equal(4, error.Message.Split('\n').Length);
        Assert.Contains("It imports 'puts': FILE*", error.Message, StringComparison.Ordinal);
        Assert.Contains("It imports 'malloc': it allocates", error.Message, StringComparison.Ordinal);
        Assert.Contains("Link the shim, libsnapshot_threads_shim.a", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Imported_variables_are_refused() => AssertBroken(
        _workshop.Good("extern int optind; int work(int x) { return optind + x; }"),
        NativeModuleRule.Import,
        "the variable 'optind'");

    private static void AssertKept(ElfImage module) =>
        Assert.Empty(NativeModuleContract.ViolationsOf(module, []));

    /// <summary>Just that rule is broken, and the message has the words.</summary>
    private static void AssertBroken(ElfImage module, NativeModuleRule rule, params string[] words)
    {
        NativeModuleViolation violation = Assert.Single(NativeModuleContract.ViolationsOf(module, []));
        Assert.Equal(rule, violation.Rule);
        Assert.All(words, word => Assert.Contains(word, violation.ToString(), StringComparison.Ordinal));
        Assert.EndsWith(".", violation.Remedy, StringComparison.Ordinal);
    }

    private static ElfImage Patched(ElfImage image, Action<ElfImage, byte[]> patch)
    {
        byte[] bytes = File.ReadAllBytes(image.Path);
        patch(image, bytes);
        return new ElfImage(image.Path, bytes);
    }

    /// <summary>Where in the file the first program header is for which something holds.</summary>
    private static int HeaderOf(ElfImage image, Func<ElfSegment, bool> predicate)
    {
        int index = image.Segments.TakeWhile(segment => !predicate(segment)).Count();
        return 64 + index * (int)ElfSegment.HeaderSize;
    }
}
