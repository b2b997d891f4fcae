using System.CommandLine;
using Snapshot.Mpi.Calls;
using Snapshot.Tool.Output;

namespace Snapshot.Tool.Commands;

/// <summary><c>snapshot mpi build</c>: compiles what jobs of this machine's MPI need.</summary>
internal sealed class MpiCommand : Command
{
    private const string DefaultFile = "libsnapshot_mpi.so";

    internal MpiCommand(ToolConsole console)
        : base("mpi", "Prepares jobs of many ranks.")
    {
        Option<string> output = new("--output", "-o")
        {
            Description = "The file to make.",
            HelpName = "FILE",
            DefaultValueFactory = _ => DefaultFile,
        };
        Option<string?> compiler = new("--mpicc")
        {
            Description = "The compiler of the MPI. Default: what MPICC names, else mpicc.",
            HelpName = "PROGRAM",
        };
        Command build = new(
            "build",
            "Compiles what calls this machine's MPI, for nodes that have no compiler: name the file in " +
            "SNAPSHOT_MPI.")
        {
            output, compiler,
        };
        build.SetAction(parsed =>
        {
            string file = Path.GetFullPath(parsed.GetRequiredValue(output));
            MpiCompiler.Build(parsed.GetValue(compiler), file);
            console.Results.Line($"Made {file}. Start ranks with SNAPSHOT_MPI={file}");
            return ExitCode.Fine;
        });
        Add(build);
    }
}
