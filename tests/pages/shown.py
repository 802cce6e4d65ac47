"""What a page says, for asserts."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def texts(page: AppTest) -> str:
    """Everything a page says in Markdown, captions, titles and alerts."""
    parts = [*page.markdown, *page.caption, *page.title, *page.error, *page.warning]
    return "\n".join(str(part.value) for part in parts)
