// Other kernels, and power cuts below real file systems. See README.md beside this file, or --help.
using System.CommandLine;
using Snapshot.Machines;

const int MissingOrMisused = 2;

ParseResult parsed = CommandLine.Build().Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors) Console.Error.WriteLine($"machines: {error.Message}");
    Console.Error.WriteLine("machines: --help shows the commands and options.");
    return MissingOrMisused;
}

try
{
    InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false };
    return await parsed.InvokeAsync(configuration).ConfigureAwait(false);
}
catch (MachineException error)
{
    Console.Error.WriteLine($"machines: {error.Message}");
    return MissingOrMisused;
}
