#!/bin/bash
# Many computations of one kind, each a task of an array with a directory of its own, and each queued again by itself.
#
#     sbatch --array=0-9 array.sh DIRECTORY PROGRAM [ARGUMENT...]
#
# runs `srun PROGRAM ARGUMENT... --store DIRECTORY/NUMBER` for each number. Without B: the signal goes to what srun
# started and not to this script, which has nothing to forward.
#SBATCH --ntasks=1
#SBATCH --time=04:00:00
#SBATCH --signal=USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%A_%a.out

directory=${1:?where the jobs are kept}/$SLURM_ARRAY_TASK_ID
shift
mkdir -p "$directory"

srun --mpi="${MPI:-pmix}" "$@" --store "$directory"
code=$?

# SLURM_JOB_ID is of this task alone; SLURM_ARRAY_JOB_ID would queue all of them again.
if [ $code -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
    scontrol requeue "$SLURM_JOB_ID"                    # ends this script
fi
exit $code
