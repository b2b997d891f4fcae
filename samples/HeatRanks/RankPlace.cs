using System.Globalization;

namespace HeatRanks;

/// <summary>The number of a rank and how many there are, as mpirun tells each process it starts.</summary>
internal readonly record struct RankPlace(int Rank, int Size)
{
    // Of Open MPI, and of MPICH.
    private static readonly (string Rank, string Size)[] s_names =
        [("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE")];

    /// <summary>The one of this process; the only one where no mpirun started it.</summary>
    internal static RankPlace Own => In(Environment.GetEnvironmentVariable);

    /// <summary>The one of another process, by its environment.</summary>
    internal static RankPlace Of(string environment)
    {
        Dictionary<string, string> variables = [];
        foreach (string variable in environment.Split('\0'))
        {
            string[] parts = variable.Split('=', 2);
            if (parts.Length == 2) variables[parts[0]] = parts[1];
        }

        return In(variables.GetValueOrDefault);
    }

    /// <summary>On which of so many hosts the rank is, neighbours on the same.</summary>
    internal int HostOf(int hosts) => Rank * hosts / Size;

    private static RankPlace In(Func<string, string?> variable)
    {
        foreach ((string rank, string size) in s_names)
        {
            if (variable(rank) is { } number && variable(size) is { } count)
                return new RankPlace(
                    int.Parse(number, CultureInfo.InvariantCulture),
                    int.Parse(count, CultureInfo.InvariantCulture));
        }

        return new RankPlace(0, 1);
    }
}
