"""Model to plan: what a worker needs in order to run a saga, and nothing else."""
