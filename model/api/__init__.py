"""The Kubernetes API as frozen records, one file per API group.  Nothing here acts."""
