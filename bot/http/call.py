"""One API request that has passed the gate: its actor, its use cases, and its dialect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Path, Request, Response
from pydantic import BaseModel

from bot.http import problems
from bot.http.problems import ApiError, FieldError, Problem, problem_of
from bot.webhooks.verifying import Proving
from core.boards import BoardFilter, Scope
from core.commands import Command
from core.curating import Curation
from core.decision import Outcome
from core.errors import InvalidField, UserError
from core.incident import Actor, Person, Place
from core.lifecycle import NAME, Catalogue
from core.service import Incidents
from core.store import Receipt, Transaction

T = TypeVar("T")

# Finds a member by the ids of workspace and user. Raises InvalidField for a person that cannot lead
# an incident, and another UserError while Slack does not answer.
FindMember = Callable[[str, str], Awaitable[Person]]
# The place of the card of an incident that is declared over HTTP, by the ids of workspace and
# channel. Without a channel it is that of the settings, if there is one.
FindPlace = Callable[[str, str | None], Awaitable[Place | None]]
# Whether this installation serves a workspace. Raises a UserError while nobody can say.
Serves = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one dialect words refusals. ``name`` is the first part of its addresses.

    ``word`` returns the status and the JSON body for a problem. ``refusal`` returns the shape of
    the bodies with a status. ``invalid`` is the status for a body or query that fails validation.
    """

    name: str
    word: Callable[[Problem, UUID], tuple[int, str]]
    refusal: Callable[[int], type[BaseModel]]
    invalid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One request of one actor. ``claim`` is None if it has no Idempotency-Key.

    ``leak_guard``: the key asks for a look at public texts before they are taken.

    ``fields`` of a method maps fields of core to their names in the request, for refusals.
    """

    incidents: Incidents
    curation: Curation
    proving: Proving
    clock: Callable[[], datetime]
    lifecycles: Catalogue
    actor: Actor
    find_member: FindMember
    find_place: FindPlace
    claim: UUID | None
    leak_guard: bool = False

    async def know_status(self, status: str | None) -> None:
        """Refuses to look for a status that no lifecycle has.

        Raises:
            ApiError: no lifecycle of the installation has it, and no incident is in it: an incident
                may have one whose lifecycle has left the file.
        """
        known = self.lifecycles.statuses
        if status is None or status in known:
            return
        if NAME.fullmatch(status):
            filters = BoardFilter(scope=Scope.ALL, status=status)
            if (await self.incidents.board(self.actor, filters, limit=1)).items:
                return
        raise problems.invalid([FieldError("status", f"must be one of {', '.join(known)}")])

    async def change(
        self,
        command: Command,
        show: Callable[[Transaction, Outcome], str],
        *,
        fields: Mapping[str, str] = problems.SAME_NAMES,
        status: int = 200,
        quotes_a_text: bool = False,
    ) -> Response:
        """The answer to ``command``, whose body ``show`` makes in the transaction of the change.

        ``quotes_a_text``: the body holds the text of the new update.
        """

        def then(tx: Transaction, outcome: Outcome) -> str:
            about = outcome.updates[0].id if quotes_a_text else None
            return self.keep(tx, show(tx, outcome), status=status, about=about)

        body = self.incidents.perform(command, then)
        return await self.answer(body, fields=fields, status=status)

    async def arrange(
        self,
        act: Callable[[Callable[[Transaction, T], object]], Awaitable[T]],
        show: Callable[[Transaction, T], str],
        *,
        fields: Mapping[str, str] = problems.SAME_NAMES,
        status: int = 200,
        repeat: Callable[[Transaction, T], str] | None = None,
    ) -> Response:
        """The answer to ``act``, whose body ``show`` makes in the transaction of the change.

        ``act`` calls a use case with the ``then`` that it gets. ``repeat`` makes the body for
        repetitions of the request if it is another one: nothing of ``show`` is written then.
        """
        bodies: list[str] = []

        def then(tx: Transaction, made: T) -> None:
            bodies.append(show(tx, made))
            self.keep(tx, repeat(tx, made) if repeat else bodies[-1], status=status)

        async def body() -> str:
            await act(then)
            # Work that ran again, because of a concurrent change, has made another body.
            return bodies[-1]

        return await self.answer(body(), fields=fields, status=status)

    def keep(self, tx: Transaction, body: str, *, status: int, about: UUID | None = None) -> str:
        """``body``, which is also written in the transaction of the change if there is a claim.

        ``about`` is the update whose text it holds.
        """
        if self.claim:
            tx.keep(Receipt(claim=self.claim, status=status, body=body, about=about))
        return body

    async def answer(
        self, body: Awaitable[str], *, fields: Mapping[str, str], status: int
    ) -> Response:
        """The answer, once the database has committed the change that ``body`` is about.

        Raises:
            ApiError: the change was refused.
        """
        try:
            return answered(status, await body)
        except UserError as error:
            raise ApiError(problem_of(error, fields=fields)) from None

    async def member(self, user: str) -> Person:
        """A full member of the workspace, by the id of a Slack user.

        Raises:
            InvalidField: there is no such member.
            ApiError: Slack does not answer.
        """
        try:
            return await self.find_member(self.actor.workspace, user)
        except InvalidField:
            raise
        except UserError as error:
            raise problems.slack_unavailable(error) from None

    async def place(self, channel: str | None = None) -> Place | None:
        """The place of the working card of a declaration that names ``channel``, or none."""
        return await self.find_place(self.actor.workspace, channel)

    async def owner(self, user: str | None, *, field: str) -> Person | None:
        """The member of that id; None for None.

        Raises:
            ApiError: ``field`` names no full member of the workspace, or Slack does not answer.
        """
        try:
            return None if user is None else await self.member(user)
        except InvalidField as error:
            raise problems.invalid([FieldError(field, error.problem)]) from None


async def _call(request: Request) -> ApiCall:
    call: ApiCall = request.state.call
    return call


async def _incident_id(
    incident: Annotated[
        str,
        Path(
            alias="id",
            description="The UUID of the incident.",
            json_schema_extra={"format": "uuid"},
            examples=["5b0c1a52-7c3e-4d0a-9a53-0f6a2f0d8c11"],
        ),
    ],
) -> UUID:
    return UUID(incident)


# The parameters of an operation. The gate has found the incident before the operation runs.
CurrentCall = Annotated[ApiCall, Depends(_call)]
IncidentId = Annotated[UUID, Depends(_incident_id)]


def answered(status: int, body: str) -> Response:
    """An answer in JSON. No proxy or browser may keep it."""
    return Response(
        body,
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
