using System.CommandLine;
using HeatRanks;

namespace Snapshot.Bench;

/// <summary>The command line of the ranks scenario.</summary>
internal static class RanksCommand
{
    private const int AllLevels = 2;

    internal static BenchCommand Create()
    {
        Option<string[]> mpi = SharedOptions.Several(
            "--mpi", "Families of MPI; rows each.", MpiCommands.Families);
        mpi.AcceptOnlyFromAmong(MpiCommands.Families);
        Option<int[]> ranks = SharedOptions.Several("--ranks", "Ranks of the job; rows each.", 1, 2, 4)
            .RequireEach(count => count is >= 1 and <= 64, "1 to 64");
        Option<bool> own = new("--own-only") { Description = "Without partners and shared directory." };
        Option<long> state = SharedOptions.Memory(256L << 20);
        state.Description = "The state of all ranks together: bytes, or with KiB, MiB, GiB.";
        Option<int> rounds = SharedOptions.Rounds(
            "Checkpoints measured in each row, after the first two.", 5);
        return new BenchCommand(
            "ranks", "What checkpoints of an MPI job take, beside the same state written by MPI-IO.",
            [mpi, ranks, own, state, rounds], (result, run) =>
        {
            int measured = result.GetValue(rounds);
            RanksSetup[] setups =
            [
                .. from family in result.GetValue(mpi)!
                   from levels in result.GetValue(own) ? (int[])[0] : [0, AllLevels]
                   from count in result.GetValue(ranks)!
                   let copied = count == 1 ? Math.Min(1, levels) : levels
                   select new RanksSetup(family, count, copied, result.GetValue(state), measured),
            ];
            return RanksReport.Of(RanksMeasurement.RunAll(setups, run), measured);
        });
    }
}
