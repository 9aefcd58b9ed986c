"""One request to the API that has passed the gate, as its dialect sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request, Response

from bot.http import problems
from bot.http.problems import Problem
from core.errors import InvalidField, UserError
from core.incident import Actor, Command, Outcome, Person
from core.lifecycle import Catalogue
from core.service import Incidents, Receipt, Transaction

# Who somebody of a workspace is, by both their ids, so that they can lead. Raises InvalidField
# where they cannot, and another UserError where nobody can be asked.
Member = Callable[[str, str], Awaitable[Person]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """``word`` puts a problem into the dialect's envelope: the status and the body, as JSON."""

    name: str
    word: Callable[[Problem, UUID], tuple[int, str]]


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request of one actor.

    ``incident`` is the one that the path names. ``claim`` is held where the request may come again;
    ``kept`` says that its answer has been written. ``named`` is what the request calls a field of
    core, for the refusal of that field.
    """

    incidents: Incidents
    lifecycles: Catalogue
    actor: Actor
    member: Member
    claim: UUID | None = None
    incident: UUID | None = None
    kept: bool = False
    named: Mapping[str, str] = field(default_factory=dict)

    async def change(
        self,
        command: Command,
        show: Callable[[Transaction, Outcome], str],
        *,
        status: int = 200,
        quotes_a_text: bool = False,
    ) -> Response:
        """Gives ``command``, and answers with what ``show`` makes of it, kept with the change.

        ``quotes_a_text``: the answer holds the body of the new update.
        """

        def then(tx: Transaction, outcome: Outcome) -> str:
            body = show(tx, outcome)
            self.keep(tx, status, body, about=outcome.updates[0].id if quotes_a_text else None)
            return body

        return self.done(await self.incidents.perform(command, then), status=status)

    def keep(self, tx: Transaction, status: int, body: str, *, about: UUID | None = None) -> None:
        """Writes an answer in the transaction of the change, where the request may come again."""
        if self.claim:
            tx.keep(Receipt(claim=self.claim, status=status, body=body, about=about))

    def done(self, body: str, *, status: int = 200) -> Response:
        """The answer, which `keep` has written and the database has committed."""
        self.kept = True
        return answered(status, body)

    async def leader(self, user: str | None) -> Person | None:
        """The person of that id, None for none.

        Raises:
            InvalidField: ``owner``; they are no full member of the workspace.
        """
        if user is None:
            return None
        try:
            return await self.member(self.actor.workspace, user)
        except InvalidField:
            raise
        except UserError as error:
            raise problems.nobody_to_ask(error) from None


async def _visit(request: Request) -> Visit:
    visit: Visit = request.state.visit
    return visit


async def _on_incident(
    request: Request,
    incident: Annotated[
        str,
        Path(
            alias="id",
            description="The UUID of the incident.",
            json_schema_extra={"format": "uuid"},
            examples=["a1b2c3d4-e5f6-7890-abcd-ef1234567890"],
        ),
    ],
) -> Visit:
    visit = await _visit(request)
    visit.incident = UUID(incident)
    return visit


# What a handler of a dialect asks for; the second where the path names an incident, which is there.
Visiting = Annotated[Visit, Depends(_visit)]
OnIncident = Annotated[Visit, Depends(_on_incident)]


def answered(status: int, body: str) -> Response:
    """An answer in JSON, which nobody on the way may keep."""
    return Response(
        body,
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
