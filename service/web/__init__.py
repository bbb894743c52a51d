"""The doors of HTTP: carrier, clinic systems, staff, operators, machines. Each declares who may knock."""
