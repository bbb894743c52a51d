"""Whole journeys with every fault we can think of, on a virtual clock, checked after every step."""
