namespace Snapshot.Bench;

/// <summary>
/// What the disks of hosts lack: images of their own ranks, and the copies that they keep for the host before
/// them in the ring.
/// </summary>
internal sealed class SimulatedHosts(int count)
{
    private readonly Dictionary<int, double> _lost = [];
    private readonly Dictionary<int, double> _unrenewed = [];

    /// <summary>Whether each host has the images of its own ranks.</summary>
    internal bool AreWhole => _lost.Count == 0;

    /// <summary>When the last of the lost hosts is replaced.</summary>
    internal double ReplacedAt => _lost.Count == 0 ? 0 : _lost.Values.Max();

    /// <summary>When the last copies are renewed.</summary>
    internal double RenewedAt => _unrenewed.Count == 0 ? 0 : _unrenewed.Values.Max();

    /// <summary>Whether a partner has the copies of each lost host.</summary>
    internal bool PartnersHaveLost
    {
        get
        {
            foreach (int host in _lost.Keys)
            {
                int partner = (host + 1) % count;
                if (_lost.ContainsKey(partner) || _unrenewed.ContainsKey(partner)) return false;
            }

            return true;
        }
    }

    /// <summary>Whether a host is not there to fail.</summary>
    internal bool IsAway(int host, double now) =>
        _lost.TryGetValue(host, out double replacedAt) && now < replacedAt;

    internal void Lose(int host, double replacedAt) => _lost[host] = replacedAt;

    /// <summary>The job has failed: copies that were not renewed by now have to be begun anew.</summary>
    internal void Fail(double now)
    {
        foreach ((int host, double renewedAt) in _unrenewed)
        {
            if (renewedAt <= now) _unrenewed.Remove(host);
        }
    }

    /// <summary>All ranks are restored, so each host has their images; lost copies are made anew.</summary>
    internal void Restore(double renewedAt)
    {
        foreach (int host in _lost.Keys) _unrenewed[host] = renewedAt;
        _lost.Clear();
        foreach (int host in _unrenewed.Keys) _unrenewed[host] = renewedAt;
    }
}
