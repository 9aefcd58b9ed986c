"""The tables. Rows are for this package alone: what leaves it are the values of core."""
