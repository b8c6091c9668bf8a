"""What the cluster does: pure transition functions over an immutable cluster state; standard library only."""
