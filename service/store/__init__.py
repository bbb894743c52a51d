"""The rows: tables, the one place that commits, and plain functions by noun."""
