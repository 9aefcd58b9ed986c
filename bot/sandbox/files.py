"""Files that the app uploads: asked for, sent to their own address, and put into a channel.

Source: https://docs.slack.dev/messaging/working-with-files#uploading_files
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from bot.sandbox.blocks import Json
from bot.sandbox.errors import SlackError
from bot.sandbox.model import Message
from bot.sandbox.rights import Arguments, Rights
from bot.sandbox.workspace import Workspace


@dataclass(slots=True, eq=False)
class Upload:
    """A file on its way: ``content`` is None until it was sent."""

    id: str
    name: str
    length: int
    content: bytes | None = None


class Files:
    """Each method is a function from the arguments to the answer, and raises ``SlackError``."""

    def __init__(
        self, workspace: Workspace, rights: Rights, *, base_url: Callable[[], str]
    ) -> None:
        self._workspace = workspace
        self._rights = rights
        self._base_url = base_url
        self._uploads: dict[str, Upload] = {}
        self._secrets: dict[str, str] = {}

    def methods(self) -> Mapping[str, Callable[[Arguments], Json]]:
        return {
            "files.completeUploadExternal": self._complete,
            "files.getUploadURLExternal": self._begin,
        }

    def _begin(self, arguments: Arguments) -> Json:
        length = str(arguments["length"])
        if not length.isdigit() or not int(length):
            raise SlackError("invalid_arguments")
        file = self._workspace.mint.id("F")
        secret = self._workspace.mint.secret()
        self._uploads[file] = Upload(file, str(arguments["filename"]), int(length))
        self._secrets[secret] = file
        return {"upload_url": f"{self._base_url()}/upload/{secret}", "file_id": file}

    async def serve(self, http: web.Request) -> web.StreamResponse:
        """Take the bytes of one file; the address is the only permission that it needs."""
        upload = self._uploads.get(self._secrets.get(http.match_info["secret"], ""))
        if upload is None:
            return web.Response(status=404)
        content = await http.read()
        if len(content) != upload.length:
            return web.Response(status=400, text="length mismatch")
        upload.content = content
        return web.Response(text=f"OK - {len(content)}")

    def _complete(self, arguments: Arguments) -> Json:
        listed = arguments["files"]
        asked = json.loads(listed) if isinstance(listed, str) else listed
        uploads = [self._uploads.get(str(one["id"])) for one in asked]
        if not all(upload is not None and upload.content is not None for upload in uploads):
            raise SlackError("file_not_found")
        sent = [
            {
                "id": upload.id,
                "name": upload.name,
                "title": one.get("title") or upload.name,
                "size": upload.length,
                "content": (upload.content or b"").decode(errors="replace"),
            }
            for upload, one in zip(filter(None, uploads), asked, strict=True)
        ]
        if arguments.get("channel_id"):
            self._share(arguments, sent)
        return {"files": [{"id": one["id"], "title": one["title"]} for one in sent]}

    def _share(self, arguments: Arguments, sent: list[Json]) -> None:
        channel = self._rights.channel({"channel": arguments["channel_id"]})
        self._rights.may_write(channel)
        self._workspace.post(
            Message(
                channel=channel.id,
                ts=self._workspace.mint.ts(),
                text=str(arguments.get("initial_comment") or ""),
                author=self._workspace.app.bot_user,
                by_app=True,
                files=sent,
                thread_ts=self._rights.thread(channel, arguments),
            )
        )
