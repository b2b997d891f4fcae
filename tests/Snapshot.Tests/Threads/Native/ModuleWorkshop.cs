using System.Diagnostics;
using System.Runtime.CompilerServices;
using Snapshot.NativeThreads;
using Snapshot.Tests.FrontDoor;
using Snapshot.Tests.Structure;

namespace Snapshot.Tests.Threads.Native;

/// <summary>A folder in which modules are compiled, by snapshot-cc or by the same flags less some.</summary>
internal sealed class ModuleWorkshop : IDisposable
{
    /// <summary>A module that does a little of everything that is allowed.</summary>
    internal const string GoodSource = """
        #include <ctype.h>
        #include <errno.h>
        #include <math.h>
        #include <setjmp.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <time.h>
        __thread int calls;
        static jmp_buf place;
        static int counter = 7, zero[5000];
        static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
        static int (*const compare_table[])(const void *, const void *) = { compare, 0 };
        double work(double x, char *text)
        {
            int order[3] = { counter++, zero[calls]++, 5 };
            struct timespec now;
            clock_gettime(CLOCK_MONOTONIC, &now);
            qsort(order, 3, sizeof order[0], compare_table[zero[1]]);
            calls++;
            if (setjmp(place) == 0 && x < 0) longjmp(place, 1);
            snprintf(text, 8, "%d", order[0]);
            memmove(text + 1, text, strlen(text));
            return sin(x) + pow(x, 1.5) + strtod(text, 0) + errno + (isalpha(text[0]) ? toupper(text[0]) : 0);
        }
        """;

    private static readonly string s_directory = Path.Combine(Repository.Root, "src/Native/threads");

    private readonly string _folder = System.IO.Directory.CreateTempSubdirectory("snapshot-module-").FullName;
    private int _files;

    /// <summary>Where its files are.</summary>
    internal string Folder => _folder;

    /// <summary>What the shim has for C++ and needs no runtime for.</summary>
    internal static IReadOnlyList<string> CxxShim =>
        [Path.Combine(s_directory, "shim/cxx.c"), Path.Combine(s_directory, "shim/addressed.c")];

    internal static string? Missing(string program) =>
        BareMachine.FindOnPath(program) is null ? $"{program} is not on the PATH" : null;

    /// <summary>
    /// Runs snapshot-cc in the folder, as it is in the sources. The check of what it links is left to tests.
    /// </summary>
    internal ProgramResult Run(params IEnumerable<string> arguments) => RunWith(_ => { }, arguments);

    internal ProgramResult RunWith(Action<ProcessStartInfo> change, params IEnumerable<string> arguments) =>
        Command(s_directory, change, ["--no-check", .. arguments]);

    /// <summary>Runs the command that the build has made, which checks what it links.</summary>
    internal ProgramResult RunBuilt(params IEnumerable<string> arguments) =>
        RunBuiltWith(_ => { }, arguments);

    internal ProgramResult RunBuiltWith(
        Action<ProcessStartInfo> change, params IEnumerable<string> arguments) =>
        Command(ModuleLibrary.Runtime, change, arguments);

    private ProgramResult Command(
        string directory, Action<ProcessStartInfo> change, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new("/bin/sh", [Path.Combine(directory, "snapshot-cc"), .. arguments])
        {
            WorkingDirectory = _folder,
        };
        start.Environment.Remove("SNAPSHOT_MODULE_DIR");
        change(start);
        return Repository.Run(start);
    }

    /// <summary>The path of a new file with a text.</summary>
    internal string Write(string text, string extension = ".c")
    {
        string path = Path.Combine(_folder, $"source{_files++}{extension}");
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A module made by the command, without the runtime.</summary>
    internal ElfImage Good(string source = GoodSource, params string[] more)
    {
        string path = NextModule();
        AssertDone(Run(["--no-runtime", "cc", "-O2", .. more, Write(source), "-o", path, "-lm"]));
        return ElfImage.Open(path);
    }

    /// <summary>
    /// A module made with the flags of the command, each of which a test may leave out or exchange.
    /// </summary>
    internal ElfImage Spoilt(
        string source, Func<string, string?>? change = null, string[]? more = null, string extension = ".c",
        bool noted = false)
    {
        string path = NextModule();
        string[] print = ["--no-runtime", "--print-flags", path];
        ProgramResult printed = noted ? RunBuilt(print) : Run(print);
        AssertDone(printed);
        IEnumerable<string> flags = printed.Output.Trim().Split(' ')
            .Select(flag => change is null ? flag : change(flag)).OfType<string>();
        string[] sources = [Write(source, extension), "-o", path, "-lm"];
        AssertDone(Repository.Run(_folder, "cc", ["-O2", .. flags, .. sources, .. more ?? []]));
        return ElfImage.Open(path);
    }

    internal string NextModule([CallerMemberName] string name = "") =>
        Path.Combine(_folder, $"lib{name}{_files++}.so");

    internal static void AssertDone(ProgramResult result) =>
        Xunit.Assert.True(result.ExitCode == 0, result.ToString());

    public void Dispose() => System.IO.Directory.Delete(_folder, recursive: true);
}
