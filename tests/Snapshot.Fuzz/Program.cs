using Snapshot.Fuzz.Targets;

namespace Snapshot.Fuzz;

/// <summary>What fuzz.sh runs under the fuzzer, and by which inputs are made and looked at.</summary>
internal static class Program
{
    private const string Usage =
        """
        Usage: Snapshot.Fuzz TARGET             under afl-fuzz: reads inputs until it is ended
               Snapshot.Fuzz TARGET FILE...     reads these inputs, and throws what is wrong
               Snapshot.Fuzz seeds FOLDER       writes the first inputs of every target

        """;

    private static int Main(string[] arguments)
    {
        if (arguments is ["seeds", string folder])
        {
            foreach ((string of, string seed, byte[] bytes) in Seeds.All)
            {
                Directory.CreateDirectory(Path.Combine(folder, of));
                File.WriteAllBytes(Path.Combine(folder, of, seed), bytes);
            }

            return 0;
        }

        if (arguments is not [string name, .. string[] inputs] || FuzzTarget.Find(name) is not { } target)
        {
            Console.Error.Write(Usage);
            Console.Error.WriteLine(
                $"Targets: {string.Join(", ", FuzzTarget.All.Select(known => known.Name))}");
            return 2;
        }

        foreach (string input in inputs) target.Check(File.ReadAllBytes(input));
        if (inputs.Length == 0) SharpFuzz.Fuzzer.OutOfProcess.Run(stream => target.Check(ReadAll(stream)));
        return 0;
    }

    private static byte[] ReadAll(Stream stream)
    {
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
