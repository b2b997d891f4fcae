using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;

namespace Snapshot.Tests.Tool;

/// <summary>What a program must not use is told when it is linked, with the cause and what to do.</summary>
public sealed class ExecRefusalTests : IDisposable
{
    private readonly ExecWorkshop _workshop = new();

    public void Dispose() => _workshop.Dispose();

    [MachineFact]
    [Needs(Capability.NativeThreads, Programs = ["cc", "sh"])]
    public void Each_import_that_cannot_work_is_named()
    {
        (string Import, string Cause)[] causes =
        [
            ("pthread_create", "has one thread"),
            ("omp_get_num_threads", "OpenMP has several"),
            ("GOMP_parallel", "with checkpoints between parallel regions (docs/LIBRARY.md)"),
            ("socket", "a descriptor, a socket or a device belongs to one process"),
            ("read", "read and write files by stdio (fopen)"),
            ("fork", "makes another process, which no image has"),
            ("dlopen", "Link against what is called"),
            ("signal", "signals are how the program is captured"),
            ("MPI_Init", "a program of 'snapshot exec' is one process"),
            ("setlocale", "without it the program has the locale C"),
            ("mmap", "Allocate by malloc"),
            ("popen", "Do it by fopen, or use the library (docs/LIBRARY.md)"),
            ("getpid", "let a script put it into an argument"),
            ("_gfortran_st_write", "Use the library, which has a module for Fortran (docs/LIBRARY.md)"),
            ("H5Fopen", "Link it statically."),
        ];
        string[] names = [.. causes.Select(cause => cause.Import)];
        string source = _workshop.Write(
            "all.c",
            $$"""
            int printf(const char *, ...);
            {{string.Concat(names.Select(name => $"void {name}(void);\n"))}}
            int main(void) { {{string.Concat(names.Select(name => $"{name}(); "))}} return printf("x"); }
            """);
        ProgramResult result =
            _workshop.Link("all", "cc", "-fno-builtin", "-Wl,--unresolved-symbols=ignore-all", source);
        Assert.Equal(1, result.ExitCode);
        Assert.All(causes, cause => Assert.Contains(
            result.Error.Split('\n'),
            line => line.Contains($"imports '{cause.Import}': ", StringComparison.Ordinal)
                && line.Contains(cause.Cause, StringComparison.OrdinalIgnoreCase)));
        Assert.DoesNotContain("printf", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("C#", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_workshop.PathOf("all")));
    }

    [MachineFact]
    [Needs(Capability.NativeThreads, Programs = ["g++", "sh"])]
    public void Streams_of_Cpp_are_told_by_one_line()
    {
        string source = _workshop.Write("hello.cpp", """
            #include <iostream>
            int main() { std::cout << "hello\n"; }
            """);
        ProgramResult result = _workshop.Link("hello", "g++", source);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("has the streams of <iostream> in it", result.Error, StringComparison.Ordinal);
        Assert.Contains("pulls in libstdc++'s locale code", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("newlocale", result.Error, StringComparison.Ordinal);
    }

    [MachineFact]
    [Needs(Capability.NativeThreads, Programs = ["gfortran", "sh"])]
    public void The_output_of_Fortran_is_refused()
    {
        string source = _workshop.Write("hello.f90", """
            program hello
            print *, "hello"
            end program
            """);
        ProgramResult result = _workshop.Link("hello", "gfortran", source);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("imports '_gfortran_st_write'", result.Error, StringComparison.Ordinal);
        Assert.Contains("_gfortran_set_args", result.Error, StringComparison.Ordinal);
    }

    [MachineTheory]
    [Needs(Capability.NativeThreads, Programs = ["cc", "sh"])]
    [InlineData("-fopenmp", "a program of 'snapshot exec' has one")]
    [InlineData("-static", "-static makes something else")]
    public void A_flag_that_cannot_work_is_named(string flag, string message)
    {
        ProgramResult result = _workshop.Link("x", "cc", flag, "x.c");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }
}
