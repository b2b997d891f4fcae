using System.CommandLine;
using HeatRanks;

namespace Snapshot.Bench;

/// <summary>The command line of the ranks scenario.</summary>
internal static class RanksCommand
{
    private const string Own = "own", All = "all";

    internal static BenchCommand Create()
    {
        Option<string[]> mpi = SharedOptions.Several(
            "--mpi", "Families of MPI; rows each.", MpiCommands.Families);
        mpi.AcceptOnlyFromAmong(MpiCommands.Families);
        Option<int[]> ranks = SharedOptions.Several("--ranks", "Ranks of the job; rows each.", 1, 2, 4)
            .RequireEach(count => count is >= 1 and <= 64, "1 to 64");
        Option<string[]> level = SharedOptions.Several(
            "--levels", "Where images go: own disks, or also partners and a shared directory; rows each.",
            Own, All);
        level.AcceptOnlyFromAmong(Own, All);
        Option<long> state = SharedOptions.Memory(256L << 20);
        state.Description = "The state of all ranks together: bytes, or with KiB, MiB, GiB.";
        Option<int> rounds = SharedOptions.Rounds(
            "Checkpoints measured in each row, after the first two.", 5);
        return new BenchCommand(
            "ranks", "What checkpoints of an MPI job take, beside the same state written by MPI-IO.",
            [mpi, ranks, level, state, rounds], (result, run) =>
        {
            int measured = result.GetValue(rounds);
            RanksSetup[] setups =
            [
                .. from family in result.GetValue(mpi)!
                   from levels in result.GetValue(level)!
                   from count in result.GetValue(ranks)!
                   let copied = levels == Own ? 0 : count == 1 ? 1 : 2 // alone there is no partner
                   select new RanksSetup(family, count, copied, result.GetValue(state), measured),
            ];
            return RanksReport.Of(RanksMeasurement.RunAll(setups, run), measured);
        });
    }
}
