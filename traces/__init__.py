"""Everything a person runs: check, replay, render."""
