"""The Hub door: a built folder becomes a dataset repository, where the licence of the corpus allows that.

Shards go up first; the card, which names them, comes with the last commit, and so does the removal of old shards.
Whatever interrupts a push, the repository holds every file that its card names, and the next push continues it.
"""

import hashlib
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, DatasetCard, DatasetCardData, HfApi
from huggingface_hub.errors import HfHubHTTPError, HTTPError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.sha import git_hash

from . import registry
from .corpus import Licence, Permission
from .errors import SerbenchError, near
from .metadata.card import licence as licence_named

FILES_PER_COMMIT = 50
"""Shards of one commit, as many as `datasets` commits at once: larger ones may run into the time limit of the Hub."""


class LicenceError(SerbenchError, PermissionError):
    """The licence of a corpus does not allow the upload that was asked for."""


class PushError(SerbenchError, OSError):
    """A built folder could not be pushed; the message says why, and how to go on."""


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Args:
        repo: id of the repository, ``namespace/corpus``.
        url: its page.
        private: whether only its owners can see it.
        uploaded: files that were added or replaced, relative to the folder; empty if there was nothing to do.
        removed: old shards that were removed.
    """

    repo: str
    url: str
    private: bool
    uploaded: tuple[str, ...]
    removed: tuple[str, ...]


def push(
    corpus: str, namespace: str, folder: Path | None = None, *, private: bool = False, permission: bool = False
) -> Pushed:
    """Upload a built folder to the dataset repository ``namespace/corpus``, which is created if it is missing.

    What the repository already holds is not uploaded again; if that is everything, there is no commit. An interrupted
    push continues when it is called again.

    Args:
        corpus: id of a corpus that serbench knows, or of a table of the user's own.
        namespace: user or organization on the Hub.
        folder: the built folder; default ``./serbench/<corpus>``.
        private: upload to a repository that only its owners can see.
        permission: the user states that the owners of the corpus allow the upload; the card says so.

    Raises:
        LicenceError: the licence does not allow the upload.
        PushError: there is no complete built folder, or the Hub cannot be reached or refuses.
    """
    built = (folder or Path(registry.NAMESPACE) / corpus).absolute()
    name, licence = _terms(corpus, built)  # before a folder is asked for, whose building may take hours
    note = _allowed(name, namespace, licence, private=private, permission=permission)
    shards = _shards(corpus, name, built)
    repo = f"{namespace}/{corpus}"
    words = ["serbench", "push", corpus, "--namespace", namespace, *(["--folder", str(folder)] if folder else [])]
    words += [*(["--private"] if private else []), *(["--i-have-permission"] if permission else [])]
    with _explained(repo, built, retry=shlex.join(words)):
        return _upload(HfApi(), repo, built, shards, _card(corpus, built, repo, note), private)


def _terms(corpus: str, built: Path) -> tuple[str, Licence]:
    """Return name and licence of a corpus: those of its record, or what the card of a user's own corpus states."""
    if corpus in registry.ids():
        record = registry.load(corpus).CORPUS
        return record.name, record.licence
    stated = _built_card(corpus, built)
    return stated.pretty_name or corpus, licence_named(stated.get("license_name") or stated.license)


def _built_card(corpus: str, built: Path) -> DatasetCardData:
    if not (built / "README.md").is_file():
        known = corpus in registry.ids()
        unknown = "" if known else f" {corpus!r} is not known to serbench.{near(corpus, registry.ids())}"
        build = _build(corpus, built)
        raise PushError(f"Corpus {corpus}: a push needs the built folder; {built} is none.{unknown} Build it: {build}")
    return DatasetCard.load(built / "README.md").data


def _build(corpus: str, built: Path) -> str:
    """Return the command that builds the folder, for a message."""
    known = corpus in registry.ids()
    raw = "" if known and hasattr(registry.load(corpus), "make") else " --raw DIR"
    out = "" if built == (Path(registry.NAMESPACE) / corpus).absolute() else f" --out {shlex.quote(str(built))}"
    return f"serbench build {corpus}{raw}{'' if known else ' --metadata TABLE'}{out}"


def _allowed(name: str, namespace: str, licence: Licence, *, private: bool, permission: bool) -> str:
    """Return what the card must say about this copy, or raise if the licence forbids to make it.

    A copy at 16 kHz is an adaptation. Creative Commons licences without derivatives (ND) allow to make one and forbid
    to share it (CC BY-NC-ND 4.0, section 2(a)(1)(B)), so a private copy is all that they allow.
    """
    terms = f"{licence.id}{f': {licence.note}' if licence.note else ''}"
    forbidden = licence.redistribution is Permission.NO
    no_derivatives = "ND" in licence.id.split("-")
    if licence.redistribution is Permission.YES:
        return ""
    if forbidden and not (private and no_derivatives):
        remedy = (
            "Add --private to keep the copy to yourself."
            if no_derivatives
            else "Neither --private nor --i-have-permission changes that: use the folder where it is, or build it on "
            "every machine that needs it."
        )
        raise LicenceError(
            f"{name}: its licence ({terms}) forbids to pass on adapted copies, which a built folder is. {remedy}"
        )
    if permission and not forbidden:
        return (
            f"`{namespace}` states that the owners of {name} allowed it to pass on this adapted copy "
            f"(`serbench push --i-have-permission`). The licence itself ({terms}) does not clearly allow that."
        )
    if private:
        return (
            f"This repository is meant to be private: the licence ({terms}) does not {'' if forbidden else 'clearly '}"
            f"allow to pass on adapted copies. Do not make it public without the permission of the owners of {name}."
        )
    raise LicenceError(
        f"{name}: its licence ({terms}) does not clearly allow to pass on adapted copies, which a built folder is. Add "
        "--private to keep the copy to yourself, or --i-have-permission if the owners allowed you to publish it; the "
        "card will say so."
    )


def _shards(corpus: str, name: str, built: Path) -> list[str]:
    """Return the shards that the card of a built folder names, after checking that it is whole and of this corpus."""
    card = _built_card(corpus, built)
    if (card.pretty_name or corpus) != name:
        raise PushError(f"{name}: {built} holds {card.pretty_name}, not {name}. Name the right folder with --folder.")
    parts = [part for config in card.get("configs") or [] for part in config["data_files"]]
    shards = sorted({path for part in parts for path in part["path"]})
    missing = [path for path in shards if not (built / path).is_file()]
    if missing or not shards:
        raise PushError(
            f"{name}: the card of {built} names {len(shards)} shards, of which {len(missing)} are missing"
            f"{f' (first: {missing[0]})' if missing else ''}. Build it again: {_build(corpus, built)}"
        )
    return shards


def _card(corpus: str, built: Path, repo: str, note: str) -> bytes:
    """Return the card as the repository shows it: it names that repository, and the terms of this copy if any."""
    text = (built / "README.md").read_text(encoding="utf-8")
    text = text.replace(f'"{registry.NAMESPACE}/{corpus}"', f'"{repo}"')
    if note:
        before, heading, after = text.partition("\n## ")
        text = f"{before}\n## Terms of this copy\n\n{note}\n{heading}{after}"
    return text.encode()


def _upload(api: HfApi, repo: str, built: Path, shards: list[str], card: bytes, private: bool) -> Pushed:
    url = str(api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True))
    info = api.dataset_info(repo)
    if private and not info.private:
        raise PushError(
            f"{repo}: the repository exists and is public, so --private cannot keep this copy to its owners. Make it "
            f"private at {url}/settings, or choose another --namespace."
        )
    tree = api.list_repo_tree(repo, repo_type="dataset", revision=info.sha, recursive=True)
    there = {file.path: file for file in tree if isinstance(file, RepoFile)}
    # the name of a shard holds the hash of its bytes, so nothing needs to be read here
    missing = [path for path in shards if path not in there or there[path].size != (built / path).stat().st_size]
    pages = {"README.md": card} | {path: (built / path).read_bytes() for path in _pictures(built)}
    changed = {path: content for path, content in pages.items() if not _same(there.get(path), content)}
    old = [path for path in there if PurePosixPath(path).match("data/*.parquet") and path not in shards]

    batches = [missing[start : start + FILES_PER_COMMIT] for start in range(0, len(missing), FILES_PER_COMMIT)] or [[]]
    head = info.sha
    for number, batch in enumerate(batches, start=1):
        operations = [CommitOperationAdd(path, str(built / path)) for path in batch]
        if number == len(batches):
            operations += [CommitOperationAdd(path, content) for path, content in changed.items()]
            operations += [CommitOperationDelete(path) for path in old]
        if operations:
            head = api.create_commit(
                repo,
                operations,
                repo_type="dataset",
                parent_commit=head,  # refused if somebody else has changed the repository since `there` was read
                commit_message=f"Upload with serbench ({number} of {len(batches)})",
            ).oid
    return Pushed(repo, url, bool(info.private), (*missing, *changed), tuple(old))


def _pictures(built: Path) -> list[str]:
    """Return what lies in the folder beside its card and its shards."""
    paths = [path.relative_to(built) for path in sorted(built.rglob("*")) if path.is_file()]
    shown = [path for path in paths if path.parts[0] != "data" and not any(part.startswith(".") for part in path.parts)]
    return [path.as_posix() for path in shown if path != Path("README.md")]


def _same(there: RepoFile | None, content: bytes) -> bool:
    if there is None:
        return False
    if there.lfs is not None:
        return there.lfs.sha256 == hashlib.sha256(content).hexdigest()
    return there.blob_id == git_hash(content)


@contextmanager
def _explained(repo: str, built: Path, retry: str) -> Iterator[None]:
    """Turn whatever stops an upload into one message that says why, what is left, and how to go on."""
    try:
        yield
    except SerbenchError:
        raise
    except (HTTPError, OSError, RuntimeError, ValueError) as error:  # RuntimeError: huggingface_hub, of one file
        raise PushError(
            f"{repo}: the push stopped, because {_reason(error)}. {built} is as it was, and what was uploaded need not "
            f"be uploaded again. To go on:\n  {retry}"
        ) from error


def _reason(error: BaseException) -> str:
    """Return why an upload failed, in one line; `huggingface_hub` may wrap the answer of the Hub in another error."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, HfHubHTTPError):
        cause = cause.__cause__
    if isinstance(cause, HfHubHTTPError):
        status = cause.response.status_code
        said = " ".join((cause.server_message or cause.response.reason_phrase).split())
        login = "; log in with a token that may write there (hf auth login)" if status in (401, 403) else ""
        return f"the Hub answered {status} ({said}){login}"
    line = " ".join(str(error).split()) or type(error).__name__
    return f"the Hub cannot be reached ({line})" if isinstance(error, HTTPError) else line
