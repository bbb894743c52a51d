"""Keeps it, and opens the doors.

Doors (`web/`, `cli/`) call use cases (one file each: `conversation`, `booking`, `delivery`, `tasks`, ...), which use `store/`
and `carrier/`; under all of them lie `settings`, `clock` and `errors`. `service` never imports `workers`: it rings them by
name (`doorbell`).
"""
