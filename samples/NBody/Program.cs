// A star cluster computed by thousands of fibers, checkpointed, killed and restarted. See `NBody --help`.
using System.CommandLine;
using KillDemo;
using NBody;

SampleProgram program = new("nbody");
ParseResult parsed = CommandLine.Build(SampleProgram.DemoAsync, RunAsync).Parse(args);
return await program.MainAsync(parsed, CommandLine.Misuses(parsed)).ConfigureAwait(false);

async Task<int> RunAsync(NBodyOptions options, bool isJson)
{
    await Simulation.RunAsync(options, program, new RunReporter(Console.Out, isJson)).ConfigureAwait(false);
    return 0;
}
