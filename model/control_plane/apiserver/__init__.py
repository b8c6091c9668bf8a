"""The API server: what becomes of a request, given the present state of the store."""
