"""The arguments of ``declare``: options and title, in any order. Pure."""

from __future__ import annotations

from difflib import get_close_matches

from bot.slack.requests import OpenDeclare
from bot.slack.typed import Typed, option, quoted, unquoted
from core.incident import Declare, Severity

KEYS = ("severity", "lifecycle", "components")
# Abbreviations that people type from habit, and that no measure of likeness finds.
HABITS = {"sev": "severity", "comp": "components"}

QUOTES_NEEDED = 'Names with blanks need quotes: components:"Checkout API, Payments".'


def read_declare(typed: Typed) -> Declare | OpenDeclare:
    """The declaration; without a title, the dialog with the options filled in."""
    found = _Arguments(typed)
    severity = typed.severity(found.options.get("severity", Severity.MEDIUM))
    names = [lifecycle.name for lifecycle in typed.catalogue]
    lifecycle = typed.one_of(
        names,
        found.options.get("lifecycle", typed.catalogue.default.name),
        name="lifecycle",
        hint=f"Lifecycles: {', '.join(names)}.",
    )
    components = component_names(found.options.get("components", ""), typed)
    private = "private" in found.options
    if not found.title:
        return OpenDeclare(
            severity=severity, lifecycle=lifecycle, components=components, private=private
        )
    return Declare(
        actor=typed.actor,
        id=typed.new_id,
        title=found.title,
        lifecycle=typed.catalogue.find(lifecycle),
        severity=severity,
        private=private,
        components=components,
        place=typed.place,
    )


def component_names(text: str, typed: Typed) -> tuple[str, ...]:
    """The names in ``text``, which has commas between them."""
    if text.endswith(","):
        raise typed.wrong(QUOTES_NEEDED)
    return tuple(name for part in text.split(",") if (name := unquoted(part.strip())))


class _Arguments:
    """Sorts the words after ``declare`` into ``options`` and ``title``.

    ``key:value`` is an option anywhere. ``key: value``, with a blank, is one at the end, and at the
    beginning if the value can mean nothing else; ``private`` is one at the end. Elsewhere they
    belong to the title.
    """

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self._tokens = typed.tokens()
        self.options: dict[str, str] = {}
        while self._tokens and self._take_last():
            pass
        while len(self._tokens) > 2 and self._take_first_two():
            pass
        self.title = self._title()

    def _keep(self, key: str, value: str) -> None:
        if key in self.options:
            raise self._typed.wrong(f"`{key}` is named twice.")
        self.options[key] = value

    def _take_last(self) -> bool:
        """Takes an option from the end; whether there was one."""
        *before, last = self._tokens
        if last.casefold() == "private":
            self._keep("private", "yes")
            self._tokens = before
            return True
        if (key := self._key(last)) and (value := option(last)[1]):
            self._keep(key, value)
            self._tokens = before
            return True
        if key:
            raise self._typed.wrong(f"The value of `{key}:` is missing.")
        key, value = option(before[-1]) if before else ("", "")
        if not key or value:
            return False
        if key in KEYS:
            self._keep(key, unquoted(last))
            self._tokens = before[:-1]
            return True
        if last.casefold() in self._values(meant := _likely(key)):
            raise self._no_option(key, meant)
        return False

    def _take_first_two(self) -> bool:
        """Takes ``key: value`` from the beginning; whether it was there."""
        (key, value), second = option(self._tokens[0]), self._tokens[1].casefold()
        if value or second not in self._values(key):
            return False
        self._keep(key, second)
        self._tokens = self._tokens[2:]
        return True

    def _values(self, key: str) -> list[str]:
        if key == "severity":
            return [severity.value for severity in Severity]
        return [lifecycle.name for lifecycle in self._typed.catalogue] if key == "lifecycle" else []

    def _title(self) -> str:
        """The words that are left, without the options among them."""
        title: list[str] = []
        for place, token in enumerate(self._tokens, start=1):
            key, value = option(token)
            if value and (key := self._key(token)):
                if key == "components" and title and place < len(self._tokens):
                    # The words after it may belong to a component's name or to the title.
                    raise self._typed.wrong(QUOTES_NEEDED)
                self._keep(key, value)
            else:
                title.append(token)
        return unquoted(title[0]) if len(title) == 1 else " ".join(title)

    def _key(self, token: str) -> str:
        """The option that ``token`` sets; empty for a word of the title that holds a colon."""
        key, value = option(token)
        if key in KEYS:
            return key
        if key == "private" and value:
            raise self._typed.wrong("Write `private` alone, after the title.")
        if value and (meant := _likely(key)):
            raise self._no_option(key, meant)
        return ""

    def _no_option(self, key: str, meant: str) -> Exception:
        return self._typed.wrong(f"There is no option {quoted(key + ':')}.", suggestion=f"{meant}:")


def _likely(key: str) -> str:
    """The option that ``key`` is most likely a slip of, empty for a word like no option."""
    return HABITS.get(key) or next(iter(get_close_matches(key, KEYS, 1, 0.8)), "")
