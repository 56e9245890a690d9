"""Masked calls: somebody dials a virtual number and is joined with whoever it stands for, and neither sees a number."""
