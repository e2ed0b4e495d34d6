"""A stand-in for the Hugging Face Hub on 127.0.0.1: real HTTP, real git and LFS hashes, everything in memory.

It answers what huggingface_hub, datasets, evaluate and transformers ask when they create, upload to, list and read
model, dataset and Space repositories; every other path is a 404. Each request is recorded, so that tests can count
what was fetched, and can be made to fail or to set something off. Clients run in processes of their own with
`Hub.environment`, as they read HF_ENDPOINT when they are imported, and without Xet, which is a protocol of its own.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from huggingface_hub.utils.sha import git_hash

LFS = ("*.parquet", "*.arrow", "*.safetensors", "*.bin", "*.pt", "*.onnx", "*.h5", "*.flac", "*.wav", "*.png", "*.zip")
"""What the first commit's .gitattributes sends to LFS."""

_ATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LFS).encode()


@dataclass(frozen=True)
class Blob:
    """Content of one file."""

    content: bytes
    lfs: bool

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def pointer(self) -> bytes:
        """What git itself stores of an LFS file."""
        size = len(self.content)
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {size}\n".encode()

    @cached_property
    def oid(self) -> str:
        return git_hash(self.pointer if self.lfs else self.content)

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid

    def entry(self, path: str) -> dict:
        """Return the file as `tree` and `paths-info` list it."""
        size = len(self.content)
        entry: dict = {"type": "file", "path": path, "size": size, "oid": self.oid}
        if self.lfs:
            entry["lfs"] = {"oid": self.sha256, "size": size, "pointerSize": len(self.pointer)}
        return entry


@dataclass(frozen=True)
class Commit:
    """State of a repository after one commit."""

    title: str
    files: dict[str, Blob]
    parent: str = ""

    @cached_property
    def oid(self) -> str:
        listed = sorted((path, blob.oid) for path, blob in self.files.items())
        return hashlib.sha1(json.dumps([self.title, self.parent, listed]).encode()).hexdigest()


_FIRST = Commit("initial commit", {".gitattributes": Blob(_ATTRIBUTES, lfs=False)})


@dataclass
class Repo:
    """A repository: its commits on `main`, oldest first."""

    id: str
    private: bool
    commits: list[Commit] = field(default_factory=lambda: [_FIRST])

    @property
    def files(self) -> dict[str, Blob]:
        return self.commits[-1].files

    def at(self, revision: str) -> Commit:
        for commit in self.commits:
            if commit.oid == revision:
                return commit
        if revision in ("main", "refs/heads/main"):
            return self.commits[-1]
        raise Refused(404, f"Invalid rev id: {revision}", {"X-Error-Code": "RevisionNotFound"})


@dataclass(frozen=True)
class Request:
    """What was asked and how it was answered."""

    method: str
    path: str
    range: str | None
    status: int


class Refused(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None, **body: str) -> None:
        message = " ".join(message.split())  # it travels in a header
        super().__init__(message)
        self.status = status
        self.headers = {"Content-Type": "application/json", "X-Error-Message": message} | (headers or {})
        self.body = {"error": message, "errors": [{"message": message}]} | body


class Hub:
    """The server; use it as a context manager.

    Attributes:
        repos: ``datasets/ns/name``, ``models/ns/name``, ``spaces/ns/name`` -> repository.
        objects: sha256 -> content of every LFS object that was uploaded, also if no commit names it yet.
        requests: every request, in order of the answers.
    """

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[Request] = []
        self.lock = threading.RLock()
        self._rules: list[tuple[str, str, Callable[[], int | None]]] = []

    def __enter__(self) -> "Hub":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self, home: Path) -> dict[str, str]:
        """Return the environment of a client whose Hugging Face caches are all below `home`."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": "hf_loopback",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
            "HF_EVALUATE_OFFLINE": "0",
            "HF_HOME": str(home),
            "SERBENCH_CACHE": str(home / "serbench"),
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def when(self, method: str, pattern: str, do: Callable[[], int | None]) -> None:
        """Call `do` before a matching request is served; a status that it returns is the answer."""
        self._rules.append((method, pattern, do))

    def fail(self, method: str, pattern: str, status: int) -> None:
        """Answer the next matching request with `status`, and those after it as usual."""
        left = [status]
        self.when(method, pattern, lambda: left.pop() if left else None)

    def asked(self, method: str, pattern: str = "") -> list[Request]:
        """Return the recorded requests whose method and path match."""
        return [one for one in self.requests if one.method == method and re.search(pattern, one.path)]

    def set_off(self, method: str, path: str) -> None:
        """Do what was planted for this request."""
        for one, pattern, do in self._rules:
            if one == method and re.search(pattern, path) and (status := do()) is not None:
                raise Refused(status, "planted by the test")


# Groups of the patterns below. A revision and a file path arrive quoted, so that each is told apart by its slashes.
_KIND = r"/api/(?P<kind>model|dataset|space)s/(?P<id>[^/]+(?:/[^/]+)?)"
_PLAIN = r"/(?:(?P<kind>dataset|space)s/)?(?P<id>[^/]+(?:/[^/]+)?)"
_REVISION = r"(?P<revision>[^/]+)"

_ROUTES: list[tuple[str, re.Pattern[str], Callable]] = []


def _route(method: str, pattern: str) -> Callable[[Callable], Callable]:
    def register(function: Callable) -> Callable:
        _ROUTES.append((method, re.compile(pattern), function))
        return function

    return register


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: Hub

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def log_message(self, *_: object) -> None:
        """Stay silent; `Hub.requests` is the log."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            self.body = self._read()
            self.hub.set_off(self.command, parts.path)
            with self.hub.lock:
                status, headers, content = self._routed(parts.path)
        except Refused as refused:
            status, headers = refused.status, refused.headers
            content = json.dumps(refused.body).encode()
        except ConnectionError:  # the client was killed while it sent
            self.close_connection = True
            return
        self.hub.requests.append(Request(self.command, unquote(parts.path), self.headers.get("Range"), status))
        try:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
        except ConnectionError:  # the client was killed while it waited
            self.close_connection = True

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(chunks)

    def _routed(self, path: str) -> tuple[int, dict[str, str], bytes]:
        method = "GET" if self.command == "HEAD" else self.command
        for one, pattern, function in _ROUTES:
            if one == method and (match := pattern.fullmatch(path)):
                found = {name: unquote(value) for name, value in match.groupdict().items() if value is not None}
                if "id" in found:
                    found["repo"] = self._repo(found.pop("kind", "model"), found.pop("id"))
                answer = function(self, **found)
                if isinstance(answer, tuple):
                    return answer
                return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()
        raise Refused(404, f"{self.command} {path}: the stand-in does not know this path")

    def _repo(self, kind: str, name: str) -> Repo:
        repo = self.hub.repos.get(f"{kind}s/{name}")
        if repo is None or (repo.private and not self._token()):
            raise Refused(404 if self._token() else 401, "Repository not found", {"X-Error-Code": "RepoNotFound"})
        return repo

    def _token(self) -> str | None:
        return self.headers.get("Authorization")

    def needs_token(self) -> None:
        """Refuse a caller who is not logged in."""
        if not self._token():
            raise Refused(401, "Invalid username or password.")


@_route("GET", "/api/whoami-v2")
def _whoami(call: _Handler) -> dict:
    call.needs_token()
    return {"type": "user", "name": "somebody", "orgs": [], "auth": {"accessToken": {"role": "write"}}}


@_route("POST", "/api/repos/create")
def _create(call: _Handler) -> dict:
    call.needs_token()
    asked = json.loads(call.body)
    kind = asked.get("type", "model")
    name = f"{asked['organization'] or 'somebody'}/{asked['name']}"
    url = f"{call.hub.url}/{'' if kind == 'model' else f'{kind}s/'}{name}"
    if f"{kind}s/{name}" in call.hub.repos:
        raise Refused(409, "You already created this repo", url=url)
    call.hub.repos[f"{kind}s/{name}"] = Repo(name, private=asked.get("visibility") == "private")
    return {"url": url, "name": name, "id": name}


@_route("POST", "/api/validate-yaml")
def _validate(call: _Handler) -> dict:
    content = json.loads(call.body)["content"]
    front = re.match(r"---\r?\n(.*?)\r?\n---", content, flags=re.S)
    try:
        yaml.safe_load(front[1] if front else "")
    except yaml.YAMLError as error:
        raise Refused(400, f"YAML: {error}") from error
    return {"errors": [], "warnings": [] if front else [{"message": "empty or missing yaml metadata in repo card"}]}


@_route("POST", f"{_KIND}/preupload/{_REVISION}")
def _preupload(call: _Handler, repo: Repo, revision: str) -> dict:
    call.needs_token()
    present = repo.at(revision).files

    def told(file: dict) -> dict:
        path = file["path"]
        lfs = any(fnmatch(path.rsplit("/", 1)[-1], pattern) for pattern in LFS) or file["size"] > 10_000_000
        oid = present[path].etag if path in present else None
        return {"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False, "oid": oid}

    return {"files": [told(file) for file in json.loads(call.body)["files"]]}


@_route("POST", rf"{_PLAIN}\.git/info/lfs/objects/batch")
def _batch(call: _Handler, repo: Repo) -> dict:
    call.needs_token()

    def told(asked: dict) -> dict:
        oid = asked["oid"]
        if oid in call.hub.objects:
            return asked
        href = f"{call.hub.url}/lfs/{oid}"
        return asked | {"actions": {"upload": {"href": href}, "verify": {"href": f"{href}/verify"}}}

    return {"transfer": "basic", "objects": [told(one) for one in json.loads(call.body)["objects"]]}


@_route("PUT", "/lfs/(?P<oid>[0-9a-f]{64})")
def _store(call: _Handler, oid: str) -> dict:
    if hashlib.sha256(call.body).hexdigest() != oid:
        raise Refused(400, f"the content is not {oid}")
    call.hub.objects[oid] = call.body
    return {}


@_route("POST", "/lfs/(?P<oid>[0-9a-f]{64})/verify")
def _verify(call: _Handler, oid: str) -> dict:
    if len(call.hub.objects.get(oid, b"")) != json.loads(call.body)["size"]:
        raise Refused(404, f"{oid} was not uploaded")
    return {}


@_route("POST", f"{_KIND}/commit/{_REVISION}")
def _commit(call: _Handler, repo: Repo, revision: str) -> dict:
    call.needs_token()
    header, *lines = [json.loads(line) for line in call.body.splitlines()]
    if header["value"].get("parentCommit", repo.commits[-1].oid) != repo.commits[-1].oid:
        raise Refused(412, "A commit has happened since. Please refresh and try again.")
    files = dict(repo.at(revision).files)
    for line in lines:
        value = line["value"]
        path = value["path"]
        match line["key"]:
            case "file":
                files[path] = Blob(base64.b64decode(value["content"]), lfs=False)
            case "lfsFile" if value["oid"] in call.hub.objects:
                files[path] = Blob(call.hub.objects[value["oid"]], lfs=True)
            case "deletedFile" if path in files:
                del files[path]
            case "deletedFolder":
                files = {one: blob for one, blob in files.items() if not one.startswith(f"{path.rstrip('/')}/")}
            case other:
                raise Refused(400, f"{other} {path}: no such file or object")
    repo.commits.append(Commit(header["value"]["summary"], files, repo.commits[-1].oid))
    oid = repo.commits[-1].oid
    return {"success": True, "commitOid": oid, "commitUrl": f"{call.hub.url}/{repo.id}/commit/{oid}", "hookOutput": ""}


@_route("GET", f"{_KIND}(?:/revision/{_REVISION})?")
def _info(call: _Handler, repo: Repo, revision: str = "main") -> dict:
    commit = repo.at(revision)
    return {
        "id": repo.id,
        "sha": commit.oid,
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "tags": [],
        "siblings": [{"rfilename": path} for path in sorted(commit.files)],
    }


@_route("GET", f"{_KIND}/refs")
def _refs(call: _Handler, repo: Repo) -> dict:
    main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.commits[-1].oid}
    return {"branches": [main], "tags": [], "converts": []}


@_route("GET", f"{_KIND}/commits/{_REVISION}")
def _history(call: _Handler, repo: Repo, revision: str) -> list:
    kept = repo.commits[: repo.commits.index(repo.at(revision)) + 1]
    date = "2026-01-01T00:00:00.000Z"
    return [{"id": one.oid, "title": one.title, "message": "", "date": date, "authors": []} for one in reversed(kept)]


def _missing(path: str, commit: Commit) -> Refused:
    headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit.oid}
    return Refused(404, f"{path} does not exist at {commit.oid}", headers)


def _entries(commit: Commit, folder: str, recursive: bool) -> list[dict]:
    """Return what `tree` lists below `folder`; the root is an empty string."""
    start = f"{folder}/" if folder else ""
    listed: dict[str, dict] = {}
    for path, blob in sorted(commit.files.items()):
        if path.startswith(start):
            steps = path.removeprefix(start).split("/")
            for depth in range(1, len(steps) if recursive else min(len(steps), 2)):
                name = start + "/".join(steps[:depth])
                listed[name] = {"type": "directory", "path": name, "size": 0, "oid": git_hash(name.encode())}
            if recursive or len(steps) == 1:
                listed[path] = blob.entry(path)
    return list(listed.values())


@_route("GET", f"{_KIND}/tree/{_REVISION}(?:/(?P<folder>.+))?")
def _tree(call: _Handler, repo: Repo, revision: str, folder: str = "") -> list[dict]:
    commit = repo.at(revision)
    entries = _entries(commit, folder.strip("/"), call.query.get("recursive", "").lower() == "true")
    if folder and not entries:
        raise _missing(folder, commit)
    return entries


@_route("POST", f"{_KIND}/paths-info/{_REVISION}")
def _paths_info(call: _Handler, repo: Repo, revision: str) -> list[dict]:
    asked = [path.strip("/") for path in parse_qs(call.body.decode())["paths"]]
    return [entry for entry in _entries(repo.at(revision), "", recursive=True) if entry["path"] in asked]


@_route("GET", f"{_PLAIN}/resolve/{_REVISION}/(?P<path>.+)")
def _resolve(call: _Handler, repo: Repo, revision: str, path: str) -> tuple[int, dict[str, str], bytes]:
    commit = repo.at(revision)
    headers = {"X-Repo-Commit": commit.oid}
    blob = commit.files.get(path)
    if blob is None:
        raise _missing(path, commit)
    size = len(blob.content)
    headers |= {"ETag": f'"{blob.etag}"', "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    if blob.lfs:
        headers |= {"X-Linked-Size": str(size), "X-Linked-Etag": f'"{blob.etag}"'}
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", call.headers.get("Range", ""))
    if asked is None:
        return 200, headers, blob.content
    first = int(asked[1]) if asked[1] else size - int(asked[2])
    last = min(int(asked[2]) if asked[1] and asked[2] else size - 1, size - 1)
    if first > last:
        raise Refused(416, "The range lies outside the file", {"Content-Range": f"bytes */{size}"})
    return 206, headers | {"Content-Range": f"bytes {first}-{last}/{size}"}, blob.content[first : last + 1]
