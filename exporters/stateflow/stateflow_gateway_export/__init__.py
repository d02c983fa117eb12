"""Writes the gateway's metadata document out of a module with StateFlow entities."""
