"""The rules that Block Kit's shapes are made of. Each adds its complaints to a list.

A complaint is in Slack's words, with Slack's place behind it: ``must be less than 151 characters
[json-pointer:/blocks/0/text/text]``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.sandbox.blocks import Json

Rule = Callable[[object, str, list[str]], None]
# A rule about several fields of one object.
Also = Callable[[Json, str, list[str]], None]


def placed(complaint: str, at: str) -> str:
    return f"{complaint} [json-pointer:{at}]"


def string(most: int | None = None, *, least: int = 0, pattern: str = "") -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, str):
            errors.append(placed("must provide a string", at))
        elif most is not None and len(value) > most:
            errors.append(placed(f"must be less than {most + 1} characters", at))
        elif len(value) < least:
            errors.append(placed(f"must be more than {least - 1} characters", at))
        elif pattern and not re.fullmatch(pattern, value):
            errors.append(placed("must match the expected format", at))

    return rule


def number(least: float | None = None, most: float | None = None, *, whole: bool = True) -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            errors.append(placed("must provide a number", at))
        elif least is not None and value < least:
            errors.append(placed(f"must be greater than or equal to {least}", at))
        elif most is not None and value > most:
            errors.append(placed(f"must be less than or equal to {most}", at))

    return rule


def boolean(value: object, at: str, errors: list[str]) -> None:
    if not isinstance(value, bool):
        errors.append(placed("must provide a boolean", at))


def anything(value: object, at: str, errors: list[str]) -> None:
    """Accepts every value, as Slack does."""


def among(*allowed: object) -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if value not in allowed:
            errors.append(placed("must be a valid enum value", at))

    return rule


def array(item: Rule, *, least: int = 0, most: int | None = None) -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, list):
            errors.append(placed("must provide an array", at))
            return
        if most is not None and len(value) > most:
            errors.append(placed(f"no more than {most} items allowed", at))
        if len(value) < least:
            errors.append(placed(f"no less than {least} items allowed", at))
        for index, entry in enumerate(value):
            item(entry, f"{at}/{index}", errors)

    return rule


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with these fields and no others; ``also`` compares them with each other."""

    required: Mapping[str, Rule]
    optional: Mapping[str, Rule] = field(default_factory=dict)
    also: Also | None = None

    def __call__(self, value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            errors.append(placed("must provide an object", at))
            return
        before = len(errors)
        errors += [
            placed(f"missing required field: {name}", at)
            for name in self.required
            if name not in value
        ]
        for name, entry in value.items():
            rule = self.required.get(name) or self.optional.get(name)
            if rule is not None:
                rule(entry, f"{at}/{name}", errors)
            elif name != "type":
                errors.append(placed(f"invalid additional property: {name}", at))
        # ``also`` runs on a complete object only, so a rule about two fields finds both.
        if self.also is not None and len(errors) == before:
            self.also(value, at, errors)


def typed(shapes: Mapping[str, Rule]) -> Rule:
    def rule(value: object, at: str, errors: list[str]) -> None:
        if not isinstance(value, dict):
            errors.append(placed("must provide an object", at))
        elif not isinstance(value.get("type"), str):
            errors.append(placed("missing required field: type", at))
        elif value["type"] not in shapes:
            errors.append(placed(f"unsupported type: {value['type']}", f"{at}/type"))
        else:
            shapes[value["type"]](value, at, errors)

    return rule


def text(most: int = 3000, *, least: int = 1) -> Rule:
    characters = string(most, least=least)
    return typed(
        {
            "plain_text": Shape({"text": characters}, {"emoji": boolean}),
            "mrkdwn": Shape({"text": characters}, {"verbatim": boolean}),
        }
    )


def plain(most: int = 3000, *, least: int = 1) -> Rule:
    return typed({"plain_text": Shape({"text": string(most, least=least)}, {"emoji": boolean})})


def mrkdwn(most: int = 3000) -> Rule:
    return typed({"mrkdwn": Shape({"text": string(most, least=1)}, {"verbatim": boolean})})


def exactly_one_of(*names: str) -> Also:
    def also(value: Json, at: str, errors: list[str]) -> None:
        if sum(name in value for name in names) != 1:
            errors.append(placed(f"must provide exactly one of: {', '.join(names)}", at))

    return also
