namespace Snapshot.Bench;

/// <summary>
/// One life of a job, from event to event: captured, published, copied, a host failed, restarted. What it
/// takes grows with the events and not with the ranks.
/// </summary>
/// <remarks>
/// A checkpoint captures what is computed by then; the program stands still for what is felt, and computes on
/// while the generation is drained and then copied. One checkpoint is under way at a time. A failure ends all
/// ranks and what they were making. A restart takes the newest published generation that every rank can have.
/// The job has ended when a generation of its end is published.
/// </remarks>
internal sealed class JobSimulation
{
    private readonly SimulatedJob _job;
    private readonly IHostFailures _failures;
    private readonly SimulatedHosts _hosts;
    private readonly SimulatedTimes _times = new();
    private readonly SimulatedCopies _partner = new();
    private readonly SimulatedCopies _shared = new();

    private double _now;
    private double _work;
    private double _standsUntil;
    private double _captured;
    private long _numbers;
    private SimulatedGeneration _newest;
    private SimulatedGeneration _drained;
    private double _publishedAt = double.PositiveInfinity;
    private HostFailure _failure;

    private JobSimulation(SimulatedJob job, IHostFailures failures)
    {
        (_job, _failures) = (job, failures);
        _hosts = new SimulatedHosts(job.Hosts);
        _failure = failures.Next();
    }

    internal static SimulatedTimes Run(SimulatedJob job, IHostFailures failures) =>
        new JobSimulation(job, failures).Run();

    private SimulatedTimes Run()
    {
        while (!_times.HasEnded && _now < _job.Limit) ToNextEvent();
        _times.Wall = _now;
        _times.Useful = _work;
        return _times;
    }

    private void ToNextEvent()
    {
        double target = Math.Min(_job.Work, _captured + _job.Interval);
        double capturedAt = double.IsFinite(_publishedAt)
            ? double.PositiveInfinity
            : Math.Max(_now, _standsUntil) + Math.Max(0, target - _work);
        double next = Math.Min(
            Math.Min(capturedAt, _publishedAt), Math.Min(_partner.DoneAt, _shared.DoneAt));
        if (Math.Min(_failure.Time, _job.Limit) <= next)
        {
            ComputeUntil(Math.Min(_failure.Time, _job.Limit));
            if (_now < _job.Limit) Fail();
            return;
        }

        ComputeUntil(next);
        if (next == _publishedAt) Publish();
        else if (next == _partner.DoneAt) _partner.Finish(_now);
        else if (next == _shared.DoneAt) _shared.Finish(_now);
        else Capture(target);
    }

    /// <summary>Time passes: first of what is felt, then it computes, until all is computed.</summary>
    private void ComputeUntil(double time)
    {
        double felt = Math.Clamp(_standsUntil - _now, 0, time - _now);
        double computed = Math.Min(time - _now - felt, _job.Work - _work);
        _times.Felt += felt;
        _times.Waiting += time - _now - felt - computed;
        _work += computed;
        _now = time;
    }

    private void Capture(double target)
    {
        _work = Math.Max(_work, target); // without what adding up times has rounded off
        _captured = _work;
        _drained = new SimulatedGeneration(++_numbers, _work);
        _publishedAt = _now + _job.Publish;
        _standsUntil = _now + _job.Felt;
        _times.Checkpoints++;
    }

    private void Publish()
    {
        _publishedAt = double.PositiveInfinity;
        _newest = _drained;
        _times.HasEnded = _newest.Work >= _job.Work;
        AddCopies(_job.PartnerCopy);
    }

    /// <summary>Copies are begun of the newest generation, where a level lacks it.</summary>
    private void AddCopies(double partnerSeconds)
    {
        if (_job.Partner && _newest.Number > _partner.Complete.Number)
            _partner.Add(_newest, _now, partnerSeconds, _hosts.RenewedAt);
        bool isForShared = _job.Shared && _newest.Number % _job.SharedEvery == 0;
        if (isForShared && _newest.Number > _shared.Complete.Number)
            _shared.Add(_newest, _now, _job.SharedCopy);
    }

    /// <summary>From the failure of a host until all ranks compute again, whatever fails meanwhile.</summary>
    private void Fail()
    {
        _publishedAt = double.PositiveInfinity;
        _standsUntil = 0;
        _partner.Abort();
        _shared.Abort();
        RestartSource source;
        SimulatedGeneration generation;
        bool isRestored;
        do
        {
            TakeFailure();
            (source, generation) = Choose();
            _times.Lose(source, _work - generation.Work);
            _work = generation.Work;
            isRestored = Restart(source);
        }
        while (!isRestored && _now < _job.Limit);

        if (isRestored) Resume(source, generation);
    }

    private void TakeFailure()
    {
        _times.Failures++;
        _hosts.Fail(_now);
        for (int lost = 0; lost < _failure.LostDisks; lost++)
            _hosts.Lose((_failure.Host + lost) % _job.Hosts, _now + _job.Replace);
        _failure = _failures.Next();
    }

    /// <summary>The newest generation that every rank can have, and from where.</summary>
    private (RestartSource Source, SimulatedGeneration Generation) Choose()
    {
        if (_hosts.AreWhole) return (RestartSource.Own, _newest);
        SimulatedGeneration partner = _hosts.PartnersHaveLost ? _partner.Complete : default;
        SimulatedGeneration shared = _shared.Complete;
        if (partner.Number > 0 && partner.Number >= shared.Number) return (RestartSource.Partner, partner);
        return shared.Number > 0 ? (RestartSource.Shared, shared) : (RestartSource.Beginning, default);
    }

    /// <summary>Waits for hosts, and restores; false where another one fails before the end.</summary>
    private bool Restart(RestartSource source)
    {
        double begun = Math.Max(_now, _hosts.ReplacedAt);
        double end = begun + source switch
        {
            RestartSource.Partner => _job.RestartPartner,
            RestartSource.Shared => _job.RestartShared,
            _ => _job.RestartOwn,
        };

        // A host that is not there yet cannot fail.
        while (_failure.Time < end && _hosts.IsAway(_failure.Host, _failure.Time))
            _failure = _failures.Next();
        double until = Math.Min(Math.Min(end, _failure.Time), _job.Limit);
        double waiting = Math.Clamp(begun - _now, 0, until - _now);
        _times.Waiting += waiting;
        _times.Restart += until - _now - waiting;
        _now = until;
        return until == end;
    }

    private void Resume(RestartSource source, SimulatedGeneration generation)
    {
        _newest = generation;
        _captured = _work;
        _hosts.Restore(_now + _job.Renew);
        if (source is RestartSource.Shared or RestartSource.Beginning) _partner.Forget();
        if (generation.Number > 0) AddCopies(source == RestartSource.Shared ? _job.Renew : _job.PartnerCopy);
    }
}
