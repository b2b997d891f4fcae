#!/bin/bash
# Many computations of one kind, each a task of an array with a directory of its own, and each queued again by itself.
#
#     sbatch --array=0-9 array.sh DIRECTORY PROGRAM [ARGUMENT...]
#
# runs `srun PROGRAM ARGUMENT... --store DIRECTORY/NUMBER` for each number. There is no signal: the program asks Slurm
# when its time is up (MpiJobOptions.AsksBatchSystem), takes a checkpoint before that and exits with 75.
#SBATCH --ntasks=1
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%A_%a.out

directory=${1:?where the jobs are kept}/$SLURM_ARRAY_TASK_ID
shift

# --mpi: what `srun --mpi=list` has and the program's MPI speaks: pmix for Open MPI, pmi2 for MPICH.
srun --mpi="${MPI:-pmix}" "$@" --store "$directory"
code=$?

# 75: run me again. One task has the number of the whole array as its SLURM_JOB_ID, which would queue all of them again.
if [ $code -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"       # ends this script
fi
exit $code
