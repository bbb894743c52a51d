"""What happens next: pure decisions over plain values.

The conversation engine, the plan of a journey, the router of free text and the sending gate live here. Nothing in this
folder reads a clock, a database, a network, the environment or dice: time and facts are arguments, effects are returned.
"""
