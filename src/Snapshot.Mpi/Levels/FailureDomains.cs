using System.IO.Hashing;
using System.Text;
using Snapshot.Mpi.Calls;

namespace Snapshot.Mpi.Levels;

/// <summary>
/// Which ranks are lost together, as those of one host are, and who keeps copies of whose images.
/// </summary>
/// <remarks>
/// The keeper of a rank is one of the next domain, by its place in its own: never of the same, since
/// neighbours share a host. Where domains differ in size one rank keeps the copies of several.
/// </remarks>
internal sealed class FailureDomains
{
    // Of each rank: its domain by number, and its place in it.
    private readonly (int Domain, int Place)[] _ranks;

    // Of each domain, its ranks.
    private readonly List<List<int>> _domains = [];

    /// <param name="names">Of the domain of each rank; a hash will do.</param>
    internal FailureDomains(IReadOnlyList<ulong> names)
    {
        Dictionary<ulong, int> numbers = [];
        _ranks = new (int, int)[names.Count];
        for (int rank = 0; rank < names.Count; rank++)
        {
            if (!numbers.TryGetValue(names[rank], out int domain))
            {
                numbers[names[rank]] = domain = _domains.Count;
                _domains.Add([]);
            }

            _ranks[rank] = (domain, _domains[domain].Count);
            _domains[domain].Add(rank);
        }
    }

    internal int Count => _domains.Count;

    /// <summary>Collective.</summary>
    internal static FailureDomains Of(RankGroup ranks, string name) =>
        new(ranks.GatherToAll(XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(name))));

    /// <summary>Who keeps copies of a rank's images.</summary>
    internal int KeeperOf(int rank)
    {
        (int domain, int place) = _ranks[rank];
        List<int> next = _domains[(domain + 1) % Count];
        return next[place % next.Count];
    }

    /// <summary>Whose images a rank keeps copies of.</summary>
    internal IEnumerable<int> KeptBy(int rank)
    {
        List<int> before = _domains[(_ranks[rank].Domain + Count - 1) % Count];
        return before.Where(other => KeeperOf(other) == rank);
    }

    internal bool IsFirstOfItsDomain(int rank) => _ranks[rank].Place == 0;
}
