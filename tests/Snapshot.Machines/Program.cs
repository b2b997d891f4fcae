// Other kernels, and power cuts below real file systems. See README.md beside this file, or --help.
using System.CommandLine;
using Snapshot.Machines;

const int Missing = 2;

try
{
    InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false };
    return await CommandLine.Build().Parse(args).InvokeAsync(configuration).ConfigureAwait(false);
}
catch (MachineException error)
{
    Console.Error.WriteLine($"machines: {error.Message}");
    return Missing;
}
