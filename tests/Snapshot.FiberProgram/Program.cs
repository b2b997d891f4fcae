namespace Snapshot.FiberProgram;

/// <summary>
/// Fibers that are killed and restarted by tests. <c>run STORE</c> ends with a line that begins with
/// <c>ok</c> when everything came out as if nobody had killed it; <c>many STORE</c> suspends many fibers, and
/// times their restart.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        Options options = new(arguments);
        switch (options.Verb)
        {
            case "run":
                using (ChaosRun run = new(options)) return run.Execute();
            case "many":
                return ManyFibers.Execute(options);
            default:
                Console.Error.WriteLine(
                    "run STORE [--steps N] [--interval MS] [--seed N] [--gc] [--cancel]\n" +
                    "many STORE [--count N] [--depth N]");
                return 2;
        }
    }
}
