using System.ComponentModel;
using System.Diagnostics;
using System.IO.Hashing;
using System.Reflection;
using System.Text;

namespace Snapshot.Mpi.Calls;

/// <summary>Compiles what calls MPI, by the mpicc of the machine.</summary>
internal static class MpiCompiler
{
    private const string FileName = "libsnapshot_mpi.so";

    private static readonly string[] s_sources = ["calls.c", "calls.h"];

    /// <summary>
    /// The library that <c>SNAPSHOT_MPI</c> names, else the one that was compiled with the mpicc of the path
    /// before, else a new one.
    /// </summary>
    /// <exception cref="SnapshotException">NativeLibrary.</exception>
    internal static string Library()
    {
        if (Environment.GetEnvironmentVariable("SNAPSHOT_MPI") is { Length: > 0 } named) return named;
        string compiler = Find();
        string kept = Path.Combine(Cache, Key(compiler), FileName);
        if (!File.Exists(kept)) Build(compiler, kept);
        return kept;
    }

    /// <summary>Compiles, and puts the result at a path, whole or not at all.</summary>
    /// <param name="compiler">An mpicc, or null for the one of the path.</param>
    /// <param name="output">The file to make.</param>
    /// <exception cref="SnapshotException">NativeLibrary: there is no mpicc, or it failed.</exception>
    internal static void Build(string? compiler, string output)
    {
        compiler ??= Find();
        output = Path.GetFullPath(output);
        string work = Path.Combine(Path.GetDirectoryName(output)!, $".{FileName}.{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(work);
            foreach (string name in s_sources) File.WriteAllText(Path.Combine(work, name), Source(name));
            string made = Path.Combine(work, FileName);
            Run(compiler,
            [
                "-std=c11", "-D_GNU_SOURCE", "-O2", "-fPIC", "-fvisibility=hidden", "-shared", "-o", made,
                Path.Combine(work, s_sources[0]),
            ]);
            File.Move(made, output, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NativeLibrary,
                $"'{output}' cannot be made: {error.Message} Compile it once with 'snapshot mpi build -o " +
                "FILE' and name it in SNAPSHOT_MPI.",
                error)
            { Path = output };
        }
        finally
        {
            if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
        }
    }

    private static string Cache
    {
        get
        {
            string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
            if (string.IsNullOrEmpty(cache))
                cache = Path.Combine(
                    Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            return Path.Combine(cache, "snapshot", "mpi");
        }
    }

    /// <summary>Another compiler, or another source, is another library.</summary>
    private static string Key(string compiler)
    {
        FileInfo real = new(compiler);
        if (real.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target) real = target;
        XxHash3 hash = new();
        foreach (string name in s_sources) hash.Append(Encoding.UTF8.GetBytes(Source(name)));
        hash.Append(Encoding.UTF8.GetBytes(
            $"{compiler}\n{real.FullName}\n{real.Length}\n{real.LastWriteTimeUtc.Ticks}"));
        return hash.GetCurrentHashAsUInt64().ToString("x16");
    }

    private static string Find()
    {
        string name = Environment.GetEnvironmentVariable("MPICC") is { Length: > 0 } given ? given : "mpicc";
        IEnumerable<string> places = Path.IsPathRooted(name)
            ? [name]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(
                folder => Path.Combine(folder, name));
        return places.FirstOrDefault(File.Exists) ?? throw new SnapshotException(
            SnapshotErrorCode.NativeLibrary,
            $"There is no '{name}': load the module of your MPI or install its development package, or " +
            "compile elsewhere with 'snapshot mpi build -o FILE' and name the file in SNAPSHOT_MPI.");
    }

    private static void Run(string compiler, string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(compiler, arguments)
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            })!;
        }
        catch (Win32Exception error)
        {
            throw new SnapshotException(
                SnapshotErrorCode.NativeLibrary, $"'{compiler}' cannot be run: {error.Message}.", error)
            { Path = compiler };
        }

        using (process)
        {
            Task<string> said = process.StandardError.ReadToEndAsync();
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 0) return;
            throw new SnapshotException(
                SnapshotErrorCode.NativeLibrary,
                $"'{compiler}' failed with exit code {process.ExitCode}: {said.Result.Trim()}")
            { Path = compiler };
        }
    }

    private static string Source(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
