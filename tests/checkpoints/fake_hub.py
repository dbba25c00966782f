"""A server on this machine that speaks as much of the Hugging Face Hub's protocol as its client needs.

Reading: `HEAD|GET /{repo}/resolve/{revision}/{file}`; small files are sent at once, weights
by a redirect to another origin. Writing: create a repository, commit, tag.
`FakeHub.mode` says how it misbehaves.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import socket
import threading
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from seqdemo.checkpoints.hub import fetch
from seqdemo.checkpoints.repository import fetch as fetch_any
from tests.conftest import PATIENCE_S

MODES = (
    "working",
    "hung",  # takes connections, answers nothing
    "hung body",  # answers, and sends nothing of the weights
    "slow",  # sends a few bytes of the weights at a time
    "cut",  # breaks off in the middle of the weights
    "short",  # sends fewer bytes than it said before
    "corrupt",  # sends as many bytes as it said, one of them wrong
    "401",
    "403",
    "404",
    "429",
    "500",
    "gated",
    "no revision",
    "no file",
    "portal",  # the sign-in page of a café
)
WEIGHTS = "model.safetensors"


@dataclass
class FakeRepository:
    """Files of one repository at one commit, and tags."""

    files: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    private: bool = False

    @property
    def commit(self) -> str:
        digest = hashlib.sha1(repr(sorted(self.files.items())).encode())
        return digest.hexdigest()


class FakeHub:
    """The server; use it as a context."""

    def __init__(self) -> None:
        self.mode = "working"
        self.repositories: dict[str, FakeRepository] = {}
        self.requests: list[str] = []
        self.tokens: dict[str, str | None] = {}
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.hub = self
        self.port = self._server.server_port
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.cdn = f"http://localhost:{self.port}/cdn"  # another origin, so that no token is sent there
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self._closed: socket.socket | None = None
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> FakeHub:
        for asking in (fetch, fetch_any):  # on a busy machine this server answers later than the Hub may
            self._patch.setitem(asking.__kwdefaults__, "answer_s", PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()
        self.stop()
        if self._closed is not None:
            self._closed.close()

    def stop(self) -> None:
        """Closes the port: from now on, connections are refused."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._closed = socket.socket()  # keeps others from being given the port
        self._closed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for _ in range(100):  # a connection that someone else makes may come from this port for a moment
            with contextlib.suppress(OSError):
                self._closed.bind(("127.0.0.1", self.port))
                return
            time.sleep(0.1)
        raise OSError(f"port {self.port} was given to someone else")
        self._thread.join()

    def add(self, repository: str, files: Mapping[str, bytes]) -> str:
        """Adds a repository with the tag v1.0; gives its commit."""
        new = FakeRepository(dict(files))
        new.tags["v1.0"] = new.commit
        self.repositories[repository] = new
        return new.commit


class _Server(http.server.ThreadingHTTPServer):
    hub: FakeHub

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that were ended in the middle are what the tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def do_DELETE(self) -> None:
        self._route()

    def _route(self) -> None:
        hub = self.server.hub
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        hub.requests.append(f"{self.command} {path}")
        hub.tokens[path] = self.headers.get("Authorization")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if hub.mode == "hung":
            hub.stopping.wait(60)
        elif hub.mode == "portal":
            self._send(200, b"<html>Please sign in to the Wi-Fi</html>", {"Content-Type": "text/html"})
        elif hub.mode in {"401", "403", "429", "500"}:
            self._send(int(hub.mode), b"{}")
        elif hub.mode == "gated":
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        elif hub.mode == "404":
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif path.startswith("/cdn/"):
            self._send_weights(*path.removeprefix("/cdn/").rsplit("/", 1))
        elif "/resolve/" in path:
            self._resolve(path.strip("/"))
        elif path.startswith("/api/"):
            self._api(path.removeprefix("/api/"), body)
        else:
            self._send(404, b"{}")

    def _resolve(self, path: str) -> None:
        hub = self.server.hub
        repository, _, rest = path.partition("/resolve/")
        revision, _, file = rest.partition("/")
        found = hub.repositories.get(repository)
        if found is None:
            return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if hub.mode == "no revision" or revision not in {"main", found.commit, *found.tags}:
            return self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        if hub.mode == "no file" or file not in found.files:
            return self._send(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": found.commit})
        content = found.files[file]
        headers = {"X-Repo-Commit": found.commit}
        if not file.endswith(".safetensors"):
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            return self._send(200, content, {**headers, "ETag": f'"{blob}"'})
        headers["X-Linked-Etag"] = f'"{hashlib.sha256(content).hexdigest()}"'
        headers["X-Linked-Size"] = str(len(content))
        headers["X-Xet-Hash"] = hashlib.sha256(content).hexdigest()  # the real Hub sends it; the client must not follow
        return self._send(302, b"", {**headers, "Location": f"{hub.cdn}/{repository}/{file}"})

    def _send_weights(self, repository: str, file: str) -> None:
        hub = self.server.hub
        content = hub.repositories[repository].files[file]
        if hub.mode == "corrupt":
            content = content[:-1] + bytes([content[-1] ^ 1])
        elif hub.mode == "short":
            content = content[: len(content) // 2]
        if hub.mode not in {"cut", "slow", "hung body"}:
            return self._send(200, content)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if hub.mode == "cut":
            self.wfile.write(content[: len(content) // 2])
        elif hub.mode == "slow":
            for start in range(0, len(content), 16):
                self.wfile.write(content[start : start + 16])
                if hub.stopping.wait(0.1):
                    return None
        else:
            hub.stopping.wait(60)
        return None

    def _api(self, path: str, body: bytes) -> None:
        hub = self.server.hub
        if path == "validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if (self.headers.get("Authorization") or "") != "Bearer hf_good":
            return self._send(401, b"{}")
        if path == "repos/create":
            asked = json.loads(body)
            repository = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            if repository in hub.repositories:
                return self._json({"url": f"{hub.endpoint}/{repository}"}, 409)
            private = asked.get("private") or asked.get("visibility") == "private"
            hub.repositories[repository] = FakeRepository({".gitattributes": b""}, private=bool(private))
            return self._json({"url": f"{hub.endpoint}/{repository}"})
        _, owner, name, *rest = path.split("/")
        repository = f"{owner}/{name}"
        found = hub.repositories.get(repository)
        if found is None:
            return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        action = rest[0] if rest else "revision"
        if action == "revision":
            siblings = [{"rfilename": file} for file in found.files]
            return self._json({"id": repository, "sha": found.commit, "siblings": siblings, "private": found.private})
        if action == "tree":
            return self._json(
                [
                    {"type": "file", "path": file, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for file, content in found.files.items()
                ]
            )
        if action == "preupload":
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            return self._json({"files": files})
        if action == "commit":
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    found.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
                elif entry["key"] == "deletedFile":
                    del found.files[entry["value"]["path"]]
            url = f"{hub.endpoint}/{repository}/commit/{found.commit}"
            return self._json({"success": True, "commitOid": found.commit, "commitUrl": url})
        if action == "refs":
            tags = [
                {"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": commit} for tag, commit in found.tags.items()
            ]
            return self._json({"branches": [], "converts": [], "tags": tags})
        if action == "tag" and self.command == "POST":
            tag = json.loads(body)["tag"]
            if tag in found.tags:
                return self._json({}, 409)
            found.tags[tag] = rest[1] if rest[1] != "main" else found.commit
            return self._json({})
        if action == "tag" and self.command == "DELETE":
            del found.tags[rest[1]]
            return self._json({})
        return self._send(404, b"{}")

    def _json(self, value: object, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content)
