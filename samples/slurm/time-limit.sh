#!/bin/bash
# Computes until it is done, in as many runs as the time limit makes of it.
#
#     sbatch time-limit.sh DIRECTORY PROGRAM [ARGUMENT...]
#
# runs `mpirun PROGRAM ARGUMENT... --store DIRECTORY`. Five minutes before the end the program is told, takes a
# checkpoint and exits with 75; the job is queued again under the same id, and goes on from there.
#SBATCH --ntasks=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append

directory=${1:?where the job is kept}
shift

# With B: only this script gets the signal. mpirun hands it to the ranks.
trap 'told=yes; kill -USR1 $!' USR1
mpirun "$@" --store "$directory" &
job=$!

wait $job                                               # ends when the signal comes, and goes on
while kill -0 $job 2> /dev/null; do wait $job; done
wait $job                                               # bash still knows the exit code
code=$?

# 75: run me again. mpirun of MPICH 4.0 sometimes makes 0 of it after a signal; a job that was done in that moment is
# soon done again. The bound ends a job that makes no progress.
if [[ $code == 75 || $told$code == yes0 ]] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
    scontrol requeue "$SLURM_JOB_ID"                    # ends this script
fi
exit $code
