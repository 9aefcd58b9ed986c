"""The files that a team writes: its templates of public updates, and its lifecycles."""

from __future__ import annotations

from pathlib import Path

from core import templates
from core.lifecycle import PRESETS, Lifecycle, read
from core.team_toml import FILE_MAX_BYTES
from core.templates import Template


class UnreadableFile(Exception):
    """A file cannot be read as text; ``why`` ends a sentence about it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def read_templates(path: Path) -> tuple[Template, ...]:
    """The templates of public updates in a file.

    Raises:
        UnreadableFile: the file does not exist, or is not text.
        InvalidFile: with every problem of the file.
    """
    return templates.read(_text_in(path))


def read_lifecycles(path: Path) -> tuple[Lifecycle, ...]:
    """The lifecycles of a team's own file, which may not use the names of the built-in ones.

    Raises:
        UnreadableFile: the file does not exist, or is not text.
        InvalidFile: with every problem of the file.
    """
    text = _text_in(path)
    return read(text, taken=frozenset(lifecycle.name for lifecycle in PRESETS))


def _text_in(path: Path) -> str:
    """The text of a file; a little more than `FILE_MAX_BYTES` of a larger one.

    Raises:
        UnreadableFile: the file does not exist, or is not text.
    """
    try:
        with path.open("rb") as file:
            # Slightly more than the limit: `read` refuses it, and an endless file ends here.
            content = file.read(FILE_MAX_BYTES + 16)
        # Editors on Windows start a file with a byte order mark. The cut may split a character.
        text = content.decode("utf-8-sig", "ignore" if len(content) > FILE_MAX_BYTES else "strict")
    except OSError as error:
        raise UnreadableFile(f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UnreadableFile("is not UTF-8") from None
    except ValueError:
        raise UnreadableFile("is not a file name") from None
    return text
