"""Run every benchmark, or those named on the command line, and print one table."""

import sys

from bench import burst, claims, inbound, outbound, routing

BENCHMARKS = {"inbound": inbound.run, "outbound": outbound.run, "claims": claims.run, "burst": burst.run,
              "routing": routing.run}  # fmt: skip


def main() -> None:
    """Run and print; exit 1 if a target of DESIGN 9 is missed."""
    chosen = sys.argv[1:] or list(BENCHMARKS)
    missed = False
    for name in chosen:
        print(f"\n{name}")
        for line in BENCHMARKS[name]():
            print(f"  {line.text}")
            missed |= line.met is False
    sys.exit(1 if missed else 0)


main()
