namespace Snapshot.Bench;

/// <summary>A table of the results: its heading, what it is for, and the command that prints it.</summary>
internal sealed record ResultsPart(string Id, string Heading, string Purpose, IReadOnlyList<string> Arguments)
{
    /// <summary>As it is typed.</summary>
    internal string CommandLine => $"./build.ps1 bench {string.Join(' ', Arguments)}";
}

/// <summary>What `all` measures.</summary>
internal static class ResultsPlan
{
    internal static IReadOnlyList<ResultsPart> Of(bool isQuick, IReadOnlyList<string> modes)
    {
        // Where neither works there is one way left, which auto takes.
        string[] compared = [.. modes.Where(mode => mode is "copyonwrite" or "precopy").DefaultIfEmpty("auto")
            .Order()];
        string[] captures = ["--mode", .. compared], best = ["--mode", compared[0]];
        return
        [
            new(
                "pause", "Pause",
                "How long the application stands still, by what it wrote between checkpoints.",
                ["pause", .. Words("--arena 4GiB --rounds 5", "--arena 128MiB --rounds 3"), .. Matrix,
                    .. best]),
            new(
                "drain", "Drain", "How fast an image of content that does not compress is written.",
                [
                    "drain", .. Words("--arena 2GiB --rounds 5", "--arena 128MiB --rounds 2"),
                    .. Words("--dirty 100 --pattern dense"), .. captures,
                ]),
            new(
                "encoding", "Encoding",
                "The same for a smooth field of doubles, which compresses once its bytes are shuffled.",
                [
                    "drain", .. Words("--arena 2GiB --rounds 3", "--arena 128MiB --rounds 2"),
                    .. Words("--dirty 100 --content smooth --encoding shufflelz4"), .. best,
                ]),
            new(
                "interference", "Interference",
                "What checkpoints cost a computation that goes on beside them.",
                [
                    "interference",
                    .. Words(
                        "--arena 1GiB --every 2.5 --seconds 10 --rounds 2",
                        "--arena 64MiB --every 0.5 --seconds 1 --rounds 1"),
                    .. best,
                ]),
            new(
                "cost", "Cost", "What checkpoints take from a computation in all.",
                [
                    "cost",
                    .. Words(
                        "--arena 1GiB --rounds 3",
                        "--arena 16MiB --rounds 1 --checkpoints 2 --epoch 0.1"),
                ]),
            new(
                "restart", "Restart", "How long a restarted program waits.",
                ["restart", .. Words("--arena 1GiB 4GiB --rounds 5", "--arena 64MiB 256MiB --rounds 1")]),
            new(
                "crowd", "Threads and arenas", "Whether threads and arenas stand in each other's way.",
                ["crowd", .. Words("--arena 256MiB --rounds 5", "--arena 64MiB --rounds 3"), .. captures]),
            new(
                "scale", "Scale", "How figures grow with memory, threads and arenas.",
                [
                    "scale",
                    .. Words(
                        "--arena 1GiB 2GiB 4GiB 8GiB",
                        "--arena 64MiB 128MiB --threads 1 4 --arenas 1 4 --rounds 2"),
                ]),
            new(
                "fibers", "Fibers", "Fibers captured waiting, and resumed.",
                ["fibers", .. Words("--fibers 1 1000 10000 100000", "--fibers 1 1000")]),
            new(
                "native", "Native threads",
                "Threads of C that compute, stopped at any instruction, and continued.",
                ["native", .. Words("--threads 1 4 64 512 --rounds 9", "--threads 1 4 --rounds 3")]),
        ];

        string[] Words(string full, string? quick = null) =>
            (isQuick && quick is not null ? quick : full).Split(' ');
    }

    private static string[] Matrix => "--dirty 1 10 100 --pattern dense random".Split(' ');
}
