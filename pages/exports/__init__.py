"""Exports on the screen: orders, segments over traits, their runs."""
