"""The Nu checker finds no error in our pages, their style and the badge."""

from __future__ import annotations

import re

import httpx
import pytest

pytestmark = pytest.mark.world

ADDRESSES = [
    *("acme", "acme/incidents/1", "acme/incidents/3", "acme/history"),
    *("empty", "empty/history", "one", "one/incidents/1", "many", "many/history"),
]


@pytest.fixture
def saved(server, tmp_path):
    """Saves an address of the server as a file."""

    def saved(path, name, *, status=200):
        answer = httpx.get(f"http://localhost:{server}/status/{path}")
        assert answer.status_code == status
        file = tmp_path / name
        file.write_bytes(answer.content)
        return file

    return saved


def test_the_pages_of_the_server_are_html_without_an_error(vnu, saved):
    vnu("html", *(saved(path, f"{path.replace('/', '-')}.html") for path in ADDRESSES))


def test_the_answer_to_an_unknown_address_is_html_without_an_error(vnu, saved):
    vnu("html", saved("acme/history/1999-01", "missing.html", status=404))


def test_the_pages_of_the_static_copy_are_html_without_an_error(vnu, copy):
    pages = list(copy.resolve().rglob("*.html"))

    assert len(pages) > len(ADDRESSES)
    vnu("html", *pages)


def test_style_and_badge_are_css_and_svg_without_an_error(vnu, saved, tmp_path):
    vnu("svg", *(saved(f"{slug}/badge.svg", f"{slug}.svg") for slug in ("acme", "empty")))
    page = saved("acme", "page.html").read_text()
    style = tmp_path / "page.css"
    style.write_text(re.search("<style>(.*?)</style>", page, re.DOTALL).group(1))
    vnu("css", style)
