"""A module without entities."""
