#!/bin/bash
# Computes on nodes that others may take away: in a partition with PreemptMode=REQUEUE and a GraceTime.
#
#     sbatch --partition=NAME preemption.sh DIRECTORY PROGRAM [ARGUMENT...]
#
# runs `srun PROGRAM ARGUMENT... --store DIRECTORY`. When the grace time begins, Slurm sends SIGTERM to the tasks that
# srun started, and to nothing else: neither to this script nor to what mpirun starts. The program takes a checkpoint
# and exits with 75; the job is queued again under the same id, and goes on when nodes are free.
#SBATCH --ntasks=4
#SBATCH --time=1-00:00:00
#SBATCH --requeue
#SBATCH --open-mode=append

directory=${1:?where the job is kept}
shift

# --mpi: what `srun --mpi=list` has and the program's MPI speaks: pmix for Open MPI, pmi2 for MPICH.
srun --mpi="${MPI:-pmix}" "$@" --store "$directory"
code=$?

# The grace time ends with this script, and Slurm does not queue again what ended before it.
if [ $code -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 1000 ]; then
    scontrol requeue "$SLURM_JOB_ID"                    # ends this script
fi
exit $code
