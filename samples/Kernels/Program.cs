// Kernels in C++ and Fortran, captured wherever they stand, killed and restarted. See `Kernels --help`.
using System.CommandLine;
using KillDemo;
using Kernels;

SampleProgram program = new("kernels");
ParseResult parsed = CommandLine.Build(DemoAsync, RunAsync).Parse(args);
return await program.MainAsync(parsed, CommandLine.Misuses(parsed)).ConfigureAwait(false);

static async Task<int> RunAsync(KernelsOptions options, bool isJson)
{
    await Simulation.RunAsync(options, new RunReporter(Console.Out, isJson)).ConfigureAwait(false);
    return 0;
}

static Task<int> DemoAsync(DemoOptions options)
{
    KernelFiles.Require();
    return SampleProgram.DemoAsync(options);
}
