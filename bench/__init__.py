"""Speed, each figure beside its baseline in one run: `make bench`. Never part of a timed test."""
