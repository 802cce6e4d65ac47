"""What a page says, for asserts."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def texts(page: AppTest) -> str:
    """Everything a page says in Markdown, captions, titles and alerts."""
    parts = [*page.markdown, *page.caption, *page.title, *page.error, *page.warning]
    return "\n".join(str(part.value) for part in parts)


def press_inside(page: AppTest, opener: str, inside: str) -> None:
    """Presses a button of a dialog. AppTest knows no reruns of a part, so its opener is pressed along with it."""
    page.button(key=opener).click()
    page.button(key=inside).click().run()
