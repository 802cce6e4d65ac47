"""The kernel's fixtures, and the servers that notices go to."""

import pytest

from tests.transport.hook import hook
from tests.transport.post import box, serve
from tests.workspaces import home, kernel, template, workspace

__all__ = ["box", "home", "hook", "kernel", "serve", "template", "workspace"]


@pytest.fixture
def post(box, serve, workspace):
    """The mail server, set up in the workspace; its box is returned."""
    set_up(workspace, serve())
    return box


def set_up(workspace, port, **settings):
    workspace.configuration.set(
        {
            "mail_host": "localhost", "mail_port": port, "mail_security": "none", "mail_sender": "onramp@example.com",
            "base_url": "https://onramp.example.com", **settings,
        }
    )  # fmt: skip
