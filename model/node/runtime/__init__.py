"""The container runtime of a node: what runs there, whether or not a kubelet looks after it."""
