"""Does it: RQ jobs, the ticker, and the runs that replay time. Everything here is safe to run several times at once."""
