using System.Diagnostics;
using Snapshot.Tests.Profiles;
using Snapshot.Tests.Structure;
using Xunit;
using Xunit.Abstractions;

namespace Snapshot.Tests.Library;

/// <summary>
/// The samples for programs that are not .NET: killed at random moments, and started again until they end.
/// The field that they end with is the one of a run that nobody killed, bit for bit, and the same in all
/// languages.
/// </summary>
[Needs(Toolchain = true)]
public sealed class HeatKillTests : IDisposable
{
    private const int LivesMost = 2000;
    private static readonly int s_kills = Soak.IsLong ? 200 : 4;

    // Of the field after the steps of HeatSample; all samples compute it.
    private const string Checksum = "43D4ACC2BC0A748E";

    private readonly ITestOutputHelper _output;
    private readonly LibraryWorkshop _workshop = new();

    public HeatKillTests(ITestOutputHelper output)
    {
        _output = output;

        // Others come in, and make stores, which nobody else may change.
        File.SetUnixFileMode(_workshop.PathOf(""), (UnixFileMode)0x3ff);
        Directory.CreateDirectory(_workshop.PathOf("packages/snapshot"));
    }

    [MachineTheory]
    [Needs(Programs = ["cc"])]
    [InlineData(RestartFill.Eager, false)]
    [InlineData(RestartFill.Lazy, false)]
    [InlineData(RestartFill.Eager, true)]
    [InlineData(RestartFill.Lazy, true)]
    public void C_with_threads(RestartFill fill, bool asOrdinaryUser) =>
        Kill(fill, asOrdinaryUser, Build("heat.c", "cc", "-std=c11"));

    [MachineTheory]
    [Needs(Programs = ["cc"])]
    [InlineData(RestartFill.Eager, false)]
    [InlineData(RestartFill.Lazy, false)]
    [InlineData(RestartFill.Eager, true)]
    [InlineData(RestartFill.Lazy, true)]
    public void C_with_OpenMP(RestartFill fill, bool asOrdinaryUser) =>
        Kill(fill, asOrdinaryUser, Build("heat_openmp.c", "cc", "-std=c11", "-fopenmp"));

    [MachineTheory]
    [Needs(Programs = ["g++"])]
    [InlineData(RestartFill.Eager, false)]
    [InlineData(RestartFill.Lazy, false)]
    [InlineData(RestartFill.Eager, true)]
    [InlineData(RestartFill.Lazy, true)]
    public void Cpp(RestartFill fill, bool asOrdinaryUser) =>
        Kill(fill, asOrdinaryUser, Build("heat.cpp", "g++", "-std=c++17"));

    [MachineTheory]
    [Needs(Programs = ["gfortran"])]
    [InlineData(RestartFill.Eager, false)]
    [InlineData(RestartFill.Lazy, false)]
    [InlineData(RestartFill.Eager, true)]
    [InlineData(RestartFill.Lazy, true)]
    public void Fortran(RestartFill fill, bool asOrdinaryUser) => Kill(
        fill, asOrdinaryUser,
        _workshop.Build(
            [FortranTests.Module, Path.Combine(HeatSample.Folder, "heat.f90")], "gfortran", "-std=f2018",
            "-Wall", "-Wextra", "-Werror"));

    [MachineTheory]
    [Needs(Numpy = true)]
    [InlineData(RestartFill.Eager, false)]
    [InlineData(RestartFill.Lazy, false)]
    [InlineData(RestartFill.Eager, true)]
    [InlineData(RestartFill.Lazy, true)]
    public void Python(RestartFill fill, bool asOrdinaryUser)
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(PythonProgram.Packages, "snapshot")))
            File.Copy(file, _workshop.PathOf($"packages/snapshot/{Path.GetFileName(file)}"));
        File.Copy(Path.Combine(HeatSample.Folder, "heat.py"), _workshop.PathOf("heat.py"));
        Kill(fill, asOrdinaryUser, PythonProgram.Path, _workshop.PathOf("heat.py"));
    }

    public void Dispose() => _workshop.Dispose();

    private string Build(string source, params string[] compiler) => _workshop.Build(
        [Path.Combine(HeatSample.Folder, source)],
        [.. compiler, "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]);

    private void Kill(RestartFill fill, bool asOrdinaryUser, params string[] command)
    {
        HeatSample sample = new(_workshop, command) { Fill = fill, AsOrdinaryUser = asOrdinaryUser };
        Stopwatch time = Stopwatch.StartNew();
        byte[] expected = Finish(sample, "uninterrupted", out _);
        int milliseconds = (int)time.ElapsedMilliseconds;
        int seed = Environment.TickCount;
        Random random = new(seed);
        int kills = 0, restarts = 0, ends = 0;
        for (int life = 0; life < LivesMost && (kills < s_kills || restarts == 0); life++)
        {
            string store = $"store{ends}";
            if (KillAfter(sample, store, random.Next(milliseconds), ref restarts))
            {
                kills++;
                continue;
            }

            AssertSame(expected, store, seed);
            ends++;
        }

        Assert.True(restarts > 0, $"no life of {LivesMost} went on from a generation");
        Finish(sample, $"store{ends}", out bool isRestarted);
        AssertSame(expected, $"store{ends}", seed);
        _output.WriteLine($"{kills} kills, {restarts + (isRestarted ? 1 : 0)} restarts, {ends + 1} ends");
    }

    /// <summary>False: it has come to its end before.</summary>
    private bool KillAfter(HeatSample sample, string store, int milliseconds, ref int restarts)
    {
        using Process process = sample.Start(_workshop.PathOf(store), _workshop.PathOf($"{store}.field"));
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        bool hasEnded = process.WaitForExit(milliseconds);
        if (!hasEnded) process.Kill();
        process.WaitForExit();
        string printed = output.GetAwaiter().GetResult();
        if (printed.Contains("from generation ", StringComparison.Ordinal)
            && !printed.Contains("from generation 0\n", StringComparison.Ordinal))
            restarts++;
        const int Killed = 137;
        if (process.ExitCode == Killed) return true;
        Assert.True(process.ExitCode == 0, $"{process.ExitCode} {printed} {error.GetAwaiter().GetResult()}");
        return false;
    }

    private byte[] Finish(HeatSample sample, string store, out bool isRestarted)
    {
        string dump = _workshop.PathOf($"{store}.field");
        using Process process = sample.Start(_workshop.PathOf(store), dump);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string printed = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{process.ExitCode} {printed} {error.GetAwaiter().GetResult()}");
        Assert.EndsWith($"checksum {Checksum}\n", printed, StringComparison.OrdinalIgnoreCase);
        isRestarted = !printed.StartsWith("from generation 0\n", StringComparison.Ordinal);
        return File.ReadAllBytes(dump);
    }

    private void AssertSame(byte[] expected, string store, int seed) => Assert.True(
        expected.AsSpan().SequenceEqual(File.ReadAllBytes(_workshop.PathOf($"{store}.field"))),
        $"the field of {store} is another one (seed {seed})");
}
