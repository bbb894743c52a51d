"""Builds the router's model from the phrasing files: `python -m training`. Never imported by the service."""
