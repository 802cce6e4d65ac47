"""Builds for Audience Manager: the list, the editor with its preview, sending and the second look."""
