// Heat diffusion on a plate, checkpointed, killed and restarted. See `HeatDiffusion --help`.
using System.CommandLine;
using HeatDiffusion;
using KillDemo;

SampleProgram program = new("heat");
ParseResult parsed = CommandLine.Build(DemoAsync, RunAsync).Parse(args);
return await program.MainAsync(parsed, CommandLine.Misuses(parsed)).ConfigureAwait(false);

async Task<int> RunAsync(HeatOptions options, bool isJson)
{
    await Simulation.RunAsync(options, program, new RunReporter(Console.Out, isJson)).ConfigureAwait(false);
    return 0;
}

static async Task<int> DemoAsync(DemoOptions options)
{
    HeatOptions heat = (HeatOptions)options.Run;
    if (!Directory.Exists(Path.GetDirectoryName(heat.Output)))
        throw new RunException($"There is no directory for the picture '{heat.Output}'.");
    Pgm.Read(heat.Input);
    return await SampleProgram.DemoAsync(options).ConfigureAwait(false);
}
