"""`python -m service.cli` is `scanguide`."""

from service.cli import main

main()
