"""The kernel's fixtures."""

from tests.workspaces import home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]
