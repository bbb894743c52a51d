"""What a patient reads: approved texts as data, strict rendering, and the count of segments each costs.

Nothing here decides when or to whom a text goes; `flows` does. Pure: the packaged files are read once.
"""
