"""Joules that are spent on other machines: by Dask's workers, by the ranks of a distributed training."""
