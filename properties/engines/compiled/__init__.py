"""The compiled engine: the core engine's memo tables, looked up by a loop that Numba compiles.

States are exact, whatever their width, as rows of 64-bit words; nothing is hashed away.  It takes a run over from the
core engine when that has grown large, and asks the core's ``Tables`` for whatever it meets for the first time.
"""
