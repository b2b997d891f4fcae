using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using KillDemo;
using Snapshot;

namespace NativeSolvers;

/// <summary>The arena: what C# and native code have in common, made or found again.</summary>
internal sealed unsafe class SimulationMemory
{
    /// <summary>For stacks, the heap of native code, and what else lies about.</summary>
    private const long Overhead = 256L << 20;

    private readonly SimulationOptions _options;
    private readonly ArenaArray<double> _field;
    private readonly ArenaArray<QuadratureJob> _quadratures;
    private readonly StencilJob* _stencil;

    private SimulationMemory(Arena arena, SimulationOptions options)
    {
        _options = options;
        Arena = arena;
        _stencil = arena.RootPointer<StencilJob>("stencil");
        bool isNew = _stencil->Size == 0;
        if (!isNew) ThrowIfAnother();
        _field = arena.RootArray<double>("field", (long)options.Size * options.Size);
        _quadratures = arena.RootArray<QuadratureJob>("quadratures", options.Threads);
        if (isNew) Begin();
    }

    internal Arena Arena { get; }

    /// <summary>Steps that all threads have done.</summary>
    internal long Step
    {
        get
        {
            long least = Volatile.Read(ref _stencil->Step);
            for (int worker = 0; worker < _options.Threads; worker++)
                least = Math.Min(least, (long)Volatile.Read(ref _quadratures[worker].Step));
            return least;
        }
    }

    /// <exception cref="RunException">The store holds another simulation.</exception>
    internal static SimulationMemory Open(SnapshotSession session, SimulationOptions options)
    {
        // The field, two of its size in the heap of native code, which is half of the arena.
        long bytes = 8L * options.Size * options.Size * sizeof(double) + Overhead;
        return new SimulationMemory(
            session.OpenArena("native", new ArenaOptions { Capacity = bytes }), options);
    }

    /// <summary>What the thread of that number is given.</summary>
    internal void* QuadratureOf(int worker) => _quadratures.Pointer + worker;

    /// <summary>What the thread of the membrane is given.</summary>
    internal void* Stencil => _stencil;

    /// <summary>XXH64 of the membrane and of all integrals.</summary>
    internal string Checksum()
    {
        XxHash64 hash = new();
        hash.Append(MemoryMarshal.AsBytes(_field.AsSpan(0, (int)_field.Length)));
        for (int worker = 0; worker < _options.Threads; worker++)
            hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<double>(in _quadratures[worker].Result)));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>The results, a line for each thread.</summary>
    internal string Report()
    {
        IEnumerable<string> integrals = Enumerable.Range(0, _options.Threads).Select(worker => string.Create(
            CultureInfo.InvariantCulture, $"worker {worker}: {_quadratures[worker].Result:R}\n"));
        return string.Concat(integrals) +
            string.Create(CultureInfo.InvariantCulture, $"membrane: {_stencil->Energy:R}\n");
    }

    /// <summary>In a sentence.</summary>
    internal string Summary()
    {
        double sum = 0;
        ulong deepest = 0;
        for (int worker = 0; worker < _options.Threads; worker++)
        {
            sum += _quadratures[worker].Result;
            deepest = Math.Max(deepest, _quadratures[worker].Deepest);
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"{_options.Threads} threads integrated {_options.Steps} functions each, {deepest} levels " +
            $"deep, the sum is {sum:F9}; the membrane of {_options.Size} x {_options.Size} points made " +
            $"{_options.Steps} sweeps, its energy is {_stencil->Energy:F9}.");
    }

    private void Begin()
    {
        for (int worker = 0; worker < _options.Threads; worker++)
        {
            _quadratures[worker] =
                new QuadratureJob
                {
                    Worker = (ulong)worker,
                    Steps = (ulong)_options.Steps,
                    Tolerance =
                    1e-11
                };
        }

        _stencil->Steps = _options.Steps;
        _stencil->Field = _field.Pointer;
        _stencil->Size = _options.Size;
    }

    private void ThrowIfAnother()
    {
        if (_stencil->Size == _options.Size && _stencil->Steps == _options.Steps) return;
        throw new RunException(
            $"'{_options.Directory}' holds a run of {_stencil->Steps} steps with {_stencil->Size} points a " +
            $"side, and {_options.Steps} steps with {_options.Size} were asked for. Give the same options, " +
            "or another --store.");
    }
}
