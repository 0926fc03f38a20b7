#!/bin/bash
# The grid of btfer bench as a SLURM job array: a share of the cells for each job, one GPU each.
#
#   sbatch --array=1-8 slurm.sh --grid paper --train rafdb=/data/RAFDB
#
# What stands after slurm.sh goes to btfer bench. The options of a line that begins with #SBATCH may be given to
# sbatch too, which then counts.
#
# Values from the environment:
#   SLURM_ARRAY_TASK_ID    set by SLURM: number of this job in the array, here that of its share. So arrays begin at 1
#   SLURM_ARRAY_TASK_COUNT set by SLURM: how many jobs the array has, here the number of shares
#   SHARES                 the number of shares where the array has not all of them, as when two jobs are run again:
#                            SHARES=8 sbatch --array=3,5 slurm.sh --grid paper ...
#   BTFER_DATA_DIR         the data folder. Give all jobs one that they share, or each a folder of its own, whose runs
#                          come together afterwards: btfer bench merge scratch/*/
#
#SBATCH --job-name=btfer
#SBATCH --array=1-8
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=1-00:00:00
#SBATCH --output=btfer-%A_%a.log
#SBATCH --requeue
set -euo pipefail

: "${SLURM_ARRAY_TASK_ID:?run this with sbatch --array=1-N}"
shares=${SHARES:-$SLURM_ARRAY_TASK_COUNT}

# With exec, the signal that SLURM sends before it ends a job reaches btfer, which keeps what is done. A job that is
# requeued, or sent again, goes on from there.
exec btfer bench --shard "$SLURM_ARRAY_TASK_ID/$shares" "$@"
