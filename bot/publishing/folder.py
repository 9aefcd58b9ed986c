"""A folder of files that is replaced as a whole: a reader never sees a half of it.

``DIR`` is a link to the newest copy. The copies are in a folder of ours beside it. Nothing else is
written or deleted. Unlike all other files of Ratchet, these are for everybody.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

FOLDER, FILE = 0o755, 0o644
LOCK, KNOWN, OWNER, NEXT, COPY = "lock", "known.json", "owner", "next", "copy-"


class NotPublished(Exception):
    """The copy could not be made. The text says why, and is for the operator."""


class Copied:
    """A copy while it is made. ``before`` is the former one, None if there is none."""

    def __init__(self, folder: Path, before: Path | None, known: Mapping[str, str]) -> None:
        self._folder = folder
        self._before = before
        self._known = known
        self.keys: dict[str, str] = {}

    def write(self, name: str, content: Callable[[], bytes], *, key: str | None = None) -> None:
        """The file ``name``: that of the former copy if it has the same ``key``."""
        file = self._folder / PurePosixPath(name)
        if not file.parent.is_dir():
            file.parent.mkdir(parents=True)
            for parent in (file.parent, *file.parent.parents):
                if parent == self._folder:
                    break
                parent.chmod(FOLDER)
        if key is not None:
            self.keys[name] = key
            if self._before is not None and self._known.get(name) == key:
                try:
                    os.link(self._before / name, file)
                except OSError:
                    pass  # The file is gone, or its file system knows no links.
                else:
                    return
        file.write_bytes(content())
        file.chmod(FILE)


class CopyFolder:
    """``folder`` is what a file server serves."""

    def __init__(self, folder: Path) -> None:
        self.path = Path(os.path.abspath(folder))  # noqa: PTH100 - it may be a link of ours
        self._copies = self.path.parent / f".{self.path.name}.ratchet"

    @property
    def owner(self) -> str | None:
        """The workspace whose page was copied here last; None if that is not known."""
        try:
            return (self._copies / OWNER).read_text("utf-8").strip() or None
        except (OSError, ValueError):
            return None

    def replace(self, fill: Callable[[Copied], None], *, owner: str) -> None:
        """Makes a new copy of the page of ``owner`` by ``fill``, and deletes the former one.

        Missing folders above it are made.

        Raises:
            NotPublished: the folder is not ours, has another page, or cannot be written.
        """
        with self._ours():
            if self.owner not in {None, owner} and self._present() is not None:
                raise NotPublished(
                    f"{self.path} holds the page of {self.owner}: name another folder."
                )
            made = Path(tempfile.mkdtemp(dir=self._copies, prefix=COPY))
            try:
                copied = Copied(made, self._present(), self._known())
                fill(copied)
                made.chmod(FOLDER)
                (self._copies / OWNER).write_text(owner, encoding="utf-8")
                # After a crash here nothing is known of the new copy, so that all is made anew.
                (self._copies / KNOWN).unlink(missing_ok=True)
                self._put_in_place(made)
                (self._copies / KNOWN).write_text(json.dumps(copied.keys), encoding="utf-8")
            finally:
                self._sweep()

    def remove(self) -> None:
        """Takes the copy away, if there is one, with everything that is left of earlier ones.

        The folder stays that of its page: no other one takes its place unasked.

        Raises:
            NotPublished: the folder is not ours, or cannot be written, or a copy cannot be deleted.
        """
        if not self._copies.exists() and not self.path.exists():
            return
        with self._ours():
            if self.path.is_symlink():
                self.path.unlink()
            for one in (KNOWN, NEXT):
                (self._copies / one).unlink(missing_ok=True)
            self._sweep()
            if left := sorted(self._copies.glob(f"{COPY}*")):
                raise NotPublished(
                    f"{self.path} is taken away, but {left[0]} cannot be deleted: do it by hand."
                )

    @contextmanager
    def _ours(self) -> Iterator[None]:
        try:
            self._see_ours()
            for missing in reversed([one for one in self._copies.parents if not one.exists()]):
                missing.mkdir(mode=FOLDER, exist_ok=True)
            self._copies.mkdir(mode=FOLDER, exist_ok=True)
            self._copies.chmod(FOLDER)
            with (self._copies / LOCK).open("w") as lock:
                # A server and a command may write at the same time.
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise NotPublished(f"{self.path} cannot be written: {error.strerror}") from None

    def _see_ours(self) -> None:
        if holder := self._holder():
            raise NotPublished(
                f"{self.path} lies within the copy {holder}, which is deleted as a whole: name a "
                "folder outside of it."
            )
        if self.path.exists() and not self.path.is_dir():
            raise NotPublished(f"{self.path} is no folder: name an empty or a new one.")
        if self.path.is_symlink():
            mine = self.path.readlink().parent == Path(self._copies.name)
        else:
            mine = not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir()))
        copies_are_mine = not self._copies.exists() or (self._copies / LOCK).exists()
        if not (mine and copies_are_mine):
            raise NotPublished(
                f"{self.path} holds files that are not ours: name an empty or a new folder."
            )

    def _holder(self) -> Path | None:
        """The copy that this folder lies in; links lead to where it really lies."""
        for parent in (self.path.parent, self.path.parent.resolve()):
            for one in (parent, *parent.parents):
                name = one.name.removeprefix(".").removesuffix(".ratchet")
                if one.name == f".{name}.ratchet" and (one / LOCK).exists():
                    return one.with_name(name)
        return None

    def _present(self) -> Path | None:
        here = self.path.is_symlink() and self.path.is_dir()
        return self.path.parent / self.path.readlink() if here else None

    def _known(self) -> Mapping[str, str]:
        try:
            known: Mapping[str, str] = json.loads((self._copies / KNOWN).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return known

    def _put_in_place(self, made: Path) -> None:
        link = self._copies / NEXT
        link.unlink(missing_ok=True)
        link.symlink_to(Path(self._copies.name) / made.name)
        if self.path.is_dir() and not self.path.is_symlink():
            self.path.rmdir()
        link.replace(self.path)

    def _sweep(self) -> None:
        """Deletes all copies but the present one: what was withdrawn is in none of them."""
        present = self._present()
        for one in self._copies.glob(f"{COPY}*"):
            if one != present:
                shutil.rmtree(one, ignore_errors=True)
