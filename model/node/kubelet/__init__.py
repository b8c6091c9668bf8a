"""The kubelet: makes a node run the pods that are bound to it, and reports what became of them."""
