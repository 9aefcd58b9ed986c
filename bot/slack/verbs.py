"""The table of verbs, from which help and README are made. Pure.

`bot.slack.reading` has a reader for each verb.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.denials import Permission

COMMAND = "/incident"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One row of the table.

    ``arguments`` follows the name in the usage line; ``summary`` completes the sentence "the
    command …"; ``example`` is a whole command that the parser takes, and ``step`` the status in it
    that not every lifecycle has. ``needs`` is the permission of those whom help tells of it.
    """

    name: str
    arguments: str
    summary: str
    example: str
    step: str = ""
    aliases: tuple[str, ...] = ()
    needs: Permission = Permission.RESPOND

    @property
    def usage(self) -> str:
        """The line to type, with its arguments by name."""
        return f"{COMMAND} {self.name} {self.arguments}".rstrip()


VERBS = (
    Verb(
        name="declare",
        arguments="[title] [severity:high] [lifecycle:response] [components:api,web] "
        "[since:02:50] [private|--public]",
        summary="declares an incident; without a title it opens a dialog; `since:` is its start: "
        "25m, 02:50, yesterday 23:10",
        example="declare Checkout is down severity:high components:api,web",
        aliases=("new",),
    ),
    Verb(
        name="list",
        needs=Permission.JOIN,
        arguments="[open|all|mine] [severity:…] [status:…]",
        summary="shows incidents, ten to a page: open before ended ones, the worst first",
        example="list mine severity:high",
    ),
    Verb(
        name="show",
        needs=Permission.JOIN,
        arguments="<n>",
        summary="shows the card, only to you",
        example="show 42",
    ),
    Verb(
        name="status",
        arguments="<n> <status> [note]",
        summary="changes the status; the note is private",
        example="status 42 identified db-3 lost quorum",
        step="identified",
    ),
    Verb(
        name="next",
        arguments="<n> [note]",
        summary="takes the next step, or offers them if there are several; the note is private",
        example="next 42 rolled back build 311",
    ),
    Verb(
        name="ack",
        arguments="<n>",
        summary="says that you are looking at it; you become owner if there is none",
        example="ack 42",
        aliases=("acknowledge",),
    ),
    Verb(
        name="resolve",
        arguments="<n> [note]",
        summary="changes the status to resolved; the note is private",
        example="resolve 42 error rate is back to normal",
        step="resolved",
    ),
    Verb(
        name="close",
        arguments="<n> [note]",
        summary="changes the status to closed, in a lifecycle that has it; the note is private",
        example="close 42 false alarm",
        step="closed",
    ),
    Verb(
        name="update",
        needs=Permission.PUBLISH,
        arguments="<n> [status:<status>] <text>",
        summary="posts a public update, for everyone to read; changes the status if you name one",
        example="update 42 status:monitoring A fix is rolling out.",
        step="monitoring",
    ),
    Verb(
        name="note",
        arguments="<n> <text>",
        summary="keeps a private note in the timeline, only for responders",
        example="note 42 db-3 is out of the pool",
    ),
    Verb(
        name="promise",
        needs=Permission.PUBLISH,
        arguments="<n> <30m|15:30|none [reason]>",
        summary="says when the next public update comes; a reason is private",
        example="promise 42 30m",
    ),
    Verb(
        name="assign",
        arguments="<n> [@person]",
        summary="hands the incident over; without a name, to yourself",
        example="assign 42 <@U0MIA|mia>",
    ),
    Verb(
        name="severity",
        arguments="<n> <severity>",
        summary="corrects the severity: critical, high, medium or low",
        example="severity 42 critical",
    ),
    Verb(
        name="title",
        arguments="<n> <title>",
        summary="corrects the title, which is public",
        example="title 42 Checkout is slow",
    ),
    Verb(
        name="description",
        arguments="<n> [text]",
        summary="corrects the description, which is never public; without a text, in a dialog",
        example="description 42 Payments time out since the deploy of 14:10",
    ),
    Verb(
        name="components",
        needs=Permission.JOIN,
        arguments="[<n> a,b]",
        summary="says which components are affected; `none` clears the list; without a number, "
        "lists those of the status page, which workspace admins arrange there",
        example="components 42 Checkout API, Payments",
    ),
    Verb(
        name="timeline",
        arguments="<n>",
        summary="shows the whole timeline, notes included, only to you",
        example="timeline 42",
    ),
    Verb(
        name="catchup",
        arguments="[n]",
        summary="shows what is new since your last act or catch-up, only to you; without a number, "
        "which open incidents have something new",
        example="catchup 42",
    ),
    Verb(
        name="withdraw",
        needs=Permission.JOIN,
        arguments="<n> <entry>",
        summary="withdraws one text of the timeline, by its number or its name: `description`, "
        "`category`, `title` (the earlier ones; after the end the only one, too), or a section of "
        "the report",
        example="withdraw 42 3",
        aliases=("redact",),
    ),
    Verb(
        name="report",
        arguments="<n>",
        summary="shows the report, to you alone, and opens the dialog that writes its sections",
        example="report 42",
    ),
    Verb(
        name="stats",
        arguments="[30d]",
        summary="shows the figures of the last days beside those of as many days before",
        example="stats 7d",
    ),
    Verb(
        name="private",
        arguments="<n>",
        summary="takes the public side of an incident away; asks once",
        example="private 42",
    ),
    Verb(
        name="public",
        needs=Permission.PUBLISH,
        arguments="<n>",
        summary="makes a private incident public; a dialog lists what will be public",
        example="public 42",
    ),
    Verb(
        name="invite",
        arguments="<n> @person",
        summary="lets one more person see a private incident",
        example="invite 42 <@U0MIA|mia>",
    ),
    Verb(
        name="uninvite",
        arguments="<n> @person",
        summary="takes an invitation back",
        example="uninvite 42 <@U0MIA|mia>",
    ),
    Verb(
        name="subscribe",
        needs=Permission.PUBLISH,
        arguments="[severity:high+] [components:api,web] [broadcast:on] [here|#channel]",
        summary="shows what becomes public in one more channel, from now on; each incident gets a "
        "card there, with its updates in a thread (publishers)",
        example="subscribe severity:high+ <#C0SUPPORT|support>",
    ),
    Verb(
        name="unsubscribe",
        needs=Permission.PUBLISH,
        arguments="[here|#channel]",
        summary="ends that; cards that are there are kept up to date (publishers)",
        example="unsubscribe <#C0SUPPORT|support>",
    ),
    Verb(
        name="subscriptions",
        needs=Permission.PUBLISH,
        arguments="",
        summary="lists the subscribed channels, with their filters (publishers)",
        example="subscriptions",
    ),
    Verb(
        name="setup",
        needs=Permission.ADMINISTER,
        arguments="[#channel|page]",
        summary="opens all settings; with a channel, sets the status channel; with `page`, "
        "publishes the status page (workspace admins)",
        example="setup <#C0STATUS|status>",
    ),
    Verb(
        name="help",
        needs=Permission.JOIN,
        arguments="[verb|all]",
        summary="explains the five commands that matter first, one, or all",
        example="help status",
    ),
)


# Those that help names first: most of a night needs no other.
FIRST = ("declare", "ack", "next", "update", "note")

VERBS_BY_WORD = {word: verb for verb in VERBS for word in (verb.name, *verb.aliases)}


def find(word: str) -> Verb | None:
    """The verb of that name or alias, in any case."""
    return VERBS_BY_WORD.get(word.casefold())


def markdown_table() -> str:
    """The table of commands as Markdown, for README."""
    rows = [(COMMAND, "shows what is open, with buttons for the next steps")]
    rows += [(verb.usage.replace("|", r"\|"), verb.summary) for verb in VERBS]
    lines = [f"| `{usage}` | {summary} |" for usage, summary in rows]
    return "\n".join(["| command | does |", "|---|---|", *lines])
