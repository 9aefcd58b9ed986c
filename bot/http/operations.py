"""The operations of a dialect: routes behind the gate, each described with its refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from bot.http.call import Dialect
from bot.http.gate import gated

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


MARKDOWN = "text/markdown"


def in_markdown(text: str) -> Response:
    """``text`` as an answer. No proxy or browser may keep it."""
    return Response(text, media_type=MARKDOWN, headers={"Cache-Control": "no-store"})


class Operations:
    """The operations of ``dialect``, in `router`. ``tag`` groups them in the description."""

    def __init__(self, dialect: Dialect, *, tag: str) -> None:
        self.dialect = dialect
        self.router = APIRouter(
            prefix=f"/{dialect.name}",
            tags=[tag],
            route_class=gated(dialect),
            responses=self._refusals(401, 429, 500, 503),
        )

    def reads(
        self, path: str, summary: str, *, answer: type[BaseModel], refused: tuple[int, ...] = ()
    ) -> Decorator:
        """The decorator of an operation that changes nothing."""
        return self._operation("GET", path, summary, answer=answer, status=200, refused=refused)

    def reads_markdown(
        self, path: str, summary: str, *, refused: tuple[int, ...] = ()
    ) -> Decorator:
        """The decorator of an operation that changes nothing and answers in Markdown."""
        return self.router.api_route(
            path,
            methods=["GET"],
            summary=summary,
            status_code=200,
            # Without a media type of its own, which FastAPI would give to the refusals as well.
            response_class=Response,
            responses={
                200: {"content": {MARKDOWN: {"schema": {"type": "string"}}}},
                **self._refusals(*refused, 404),
            },
        )

    def changes(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        answer: type[BaseModel],
        status: int = 200,
        refused: tuple[int, ...] = (400,),
    ) -> Decorator:
        """The decorator of an operation that changes something."""
        refused = (403, 409, 413, 415, self.dialect.invalid, *refused)
        return self._operation(method, path, summary, answer=answer, status=status, refused=refused)

    def _operation(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        answer: type[BaseModel],
        status: int,
        refused: tuple[int, ...],
    ) -> Decorator:
        if "{" in path:
            refused = (*refused, 404)
        return self.router.api_route(
            path,
            methods=[method],
            summary=summary,
            status_code=status,
            response_model=answer,
            responses=self._refusals(*refused),
        )

    def _refusals(self, *statuses: int) -> dict[int | str, dict[str, Any]]:
        return {status: {"model": self.dialect.refusal(status)} for status in statuses}
