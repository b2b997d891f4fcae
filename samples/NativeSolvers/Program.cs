// Solvers in C++ and Fortran, captured wherever they stand, killed and restarted. See `NativeSolvers --help`.
using System.CommandLine;
using KillDemo;
using NativeSolvers;

SampleProgram program = new("native");
ParseResult parsed = CommandLine.Build(DemoAsync, RunAsync).Parse(args);
return await program.MainAsync(parsed, CommandLine.Misuses(parsed)).ConfigureAwait(false);

static async Task<int> RunAsync(SimulationOptions options, bool isJson)
{
    await Simulation.RunAsync(options, new RunReporter(Console.Out, isJson)).ConfigureAwait(false);
    return 0;
}

static Task<int> DemoAsync(DemoOptions options)
{
    ModuleFiles.Require();
    return SampleProgram.DemoAsync(options);
}
