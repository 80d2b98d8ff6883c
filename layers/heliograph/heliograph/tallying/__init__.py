"""The sums of a run, kept as its records change, so that nobody has to count the records to look at them."""
