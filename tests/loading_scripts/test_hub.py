"""The Hub door, end to end over HTTP against the stand-in on 127.0.0.1; clients are processes of their own."""

import dataclasses
import hashlib
import inspect
import json
import os
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import REPOSITORY, published
from datasets import Audio, load_dataset
from huggingface_hub import DatasetCard
from loopback_hub import Commit, Hub, Repo

from loading_scripts import hub as door
from loading_scripts import registry, repo
from loading_scripts.corpus import Permission

_PERMITTED = ("--i-have-permission",)  # the licence of URDU is unclear


def rows(loaded) -> dict[str, list[dict]]:
    """Return every row of every split, its audio as a hash of the stored bytes."""
    found = {}
    for split, part in loaded.items():
        found[split] = [dict(row) for row in part.cast_column("audio", Audio(decode=False))]
        for row in found[split]:
            row["audio"] = hashlib.sha256(row["audio"]["bytes"]).hexdigest()
    return found


_STOCK = f"""
import hashlib, json, sys
from datasets import Audio, load_dataset
assert not any(name.startswith(("loading_scripts", "ser_")) for name in sys.modules)
{inspect.getsource(rows)}
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Return a function that builds 40 utterances of URDU in small shards; one may sound different than before."""

    def made(different: int | None = None) -> Path:
        root = tmp_path_factory.mktemp("URDU-Dataset")
        for number, line in enumerate(published("urdu")[::5]):
            generator = np.random.default_rng([number, number == different])
            (root / line["path"]).parent.mkdir(exist_ok=True)
            soundfile.write(root / line["path"], generator.uniform(-0.5, 0.5, 1600), 16_000)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(repo, "ROWS_PER_SHARD", 5)
            return repo.build(registry.load("urdu"), root, tmp_path_factory.mktemp("built") / "serbench" / "urdu")

    return made


@pytest.fixture(scope="module")
def built(build) -> Path:
    return build()


@pytest.fixture(scope="module")
def rows_of(built, tmp_path_factory) -> dict[str, dict[str, list[dict]]]:
    """Return config -> split -> rows of the built folder."""
    cache = str(tmp_path_factory.mktemp("cache"))
    return {config: rows(load_dataset(str(built), config, cache_dir=cache)) for config in ("all", "fold1")}


@pytest.fixture(scope="module")
def serbench(run_python):
    """Return a function that runs the command line in a process of its own, as a user of a Hub."""

    def run(at: Hub, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        code = f"import sys; sys.argv = ['serbench', *{arguments!r}]\nfrom ser_trainer.cli import main; main()"
        return run_python(code, cwd, **at.environment(cwd / "home"))

    return run


@pytest.fixture(scope="module")
def public(built, serbench, tmp_path_factory) -> Hub:
    """Return a Hub that URDU was pushed to once, as serbench/urdu."""
    with Hub() as at:
        done = serbench(at, built.parent.parent, "push", "urdu", "--namespace", "serbench", *_PERMITTED)
        assert done.returncode == 0, done.stderr
        assert 'load_dataset("serbench/urdu", "all")' in done.stdout
        yield at


def shards(folder: Path, config: str = "all", *splits: str) -> set[str]:
    """Return the shards that the card of a folder names for a config."""
    configs = {one["config_name"]: one for one in DatasetCard.load(folder / "README.md").data.configs}
    parts = configs[config]["data_files"]
    return {path for part in parts if not splits or part["split"] in splits for path in part["path"]}


def remote(of: Repo) -> dict[str, bytes]:
    """Return what a repository holds, but for its card, and what the Hub put there."""
    return {path: blob.content for path, blob in of.files.items() if path not in ("README.md", ".gitattributes")}


def local(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds, but for its card."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name != "README.md"}


def fetched(at: Hub, since: int = 0) -> list[str]:
    """Return the shards that were asked for, one entry per GET."""
    asked = [one.path for one in at.requests[since:] if one.method == "GET" and "/data/" in one.path]
    return [f"data/{path.rpartition('/')[2]}" for path in asked]


def test_unmodified_datasets_loads_from_the_hub_what_is_in_the_folder(public, built, rows_of, run_python, tmp_path):
    assert len(shards(built)) > 5
    since = len(public.requests)
    code = _STOCK + 'print(json.dumps({c: rows(load_dataset("serbench/urdu", c)) for c in ("fold1", "all")}))'
    done = run_python(code, tmp_path, importable=False, **public.environment(tmp_path / "home"))
    theirs = json.loads(done.stdout or pytest.fail(done.stderr))
    assert theirs == rows_of
    # the second config asked for no shard again
    assert sorted(fetched(public, since)) == sorted(shards(built))


def test_streaming_asks_for_ranges_of_the_needed_shards_only(public, built, rows_of, run_python, tmp_path):
    since = len(public.requests)
    code = _STOCK + 'loaded = load_dataset("serbench/urdu", "fold1", split="test", streaming=True)\n'
    code += 'print(json.dumps(rows({"test": loaded})))'
    settings = public.environment(tmp_path / "home") | {"USE_TORCH": "0"}  # importing torch would take seconds
    done = run_python(code, tmp_path, importable=False, **settings)
    theirs = json.loads(done.stdout or pytest.fail(done.stderr))
    assert theirs["test"] == rows_of["fold1"]["test"]
    needed = shards(built, "fold1", "test")
    assert set(fetched(public, since)) == needed < shards(built)
    asked = [one for one in public.requests[since:] if one.method == "GET" and "/data/" in one.path]
    assert {(one.range is not None, one.status) for one in asked} == {(True, 206)}


def test_a_second_push_uploads_nothing_and_makes_no_commit(public, built, serbench):
    since, commits = len(public.requests), len(public.repos["datasets/serbench/urdu"].commits)
    done = serbench(public, built.parent.parent, "push", "urdu", "--namespace", "serbench", *_PERMITTED)
    assert "up to date: nothing was uploaded" in done.stdout, done.stderr
    assert len(public.repos["datasets/serbench/urdu"].commits) == commits
    writing = [one for one in public.requests[since:] if one.method not in ("GET", "HEAD")]
    assert [(one.method, one.path, one.status) for one in writing] == [("POST", "/api/repos/create", 409)]


def test_the_hub_comes_before_the_helpful_error(public, rows_of, run_python, tmp_path):
    code = f"""
import hashlib, json, loading_scripts
from datasets import Audio, load_dataset
{inspect.getsource(rows)}
print(json.dumps(rows(load_dataset("serbench/urdu", "fold1"))))
try:
    load_dataset("serbench/turevdb", "fold1")
except FileNotFoundError as error:
    print(json.dumps(str(error)))
"""
    done = run_python(code, tmp_path, **public.environment(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    theirs, message = map(json.loads, done.stdout.splitlines())
    assert theirs == rows_of["fold1"]
    assert {one.status for one in public.asked("HEAD", "turevdb")} == {404}
    assert "no raw folder was given" in message


def test_the_card_of_a_public_copy_records_the_permission(public, built):
    card = public.repos["datasets/serbench/urdu"].files["README.md"].content.decode()
    note = "`serbench` states that the owners of URDU allowed it"
    assert note in card
    assert note not in (built / "README.md").read_text(encoding="utf-8")
    assert not public.repos["datasets/serbench/urdu"].private


def test_a_changed_corpus_replaces_the_shards(built, build, hub, run_python, tmp_path):
    changed = build(different=3)
    assert len(local(changed).items() - local(built).items()) == 1
    code = f"""
from pathlib import Path
from loading_scripts import hub
hub.FILES_PER_COMMIT = 2
for folder in {str(built)!r}, {str(changed)!r}:
    hub.push("urdu", "alice", Path(folder), permission=True)
"""
    done = run_python(code, tmp_path, **hub.environment(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    pushed = hub.repos["datasets/alice/urdu"]
    assert remote(pushed) == local(changed)
    assert len(hub.asked("PUT")) == len(local(built)) + 1
    assert len(pushed.commits) > 4
    for commit in pushed.commits:  # whoever loads in the middle of a push finds all that the card names
        card = commit.files["README.md"].content.decode() if "README.md" in commit.files else "---\nconfigs: []\n---\n"
        configs = DatasetCard(card).data.configs
        assert {path for one in configs for part in one["data_files"] for path in part["path"]} <= commit.files.keys()
    assert 'load_dataset("alice/urdu"' in pushed.files["README.md"].content.decode()


def test_a_killed_push_continues(built, hub, serbench, tmp_path):
    """SIGKILL while the second commit is being uploaded."""
    arguments = ["push", "urdu", "--namespace", "alice", "--folder", str(built), *_PERMITTED]
    code = f"import sys; sys.argv = ['serbench', *{arguments!r}]\n"
    code += "from loading_scripts import hub; hub.FILES_PER_COMMIT = 2\nfrom ser_trainer.cli import main; main()"
    children: list[subprocess.Popen] = []
    hub.when("PUT", "/lfs/", lambda: children[0].kill() if len(hub.repos["datasets/alice/urdu"].commits) == 2 else None)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)} | hub.environment(tmp_path / "home")
    children.append(subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE))
    _, errors = children[0].communicate(timeout=120)
    assert children[0].returncode < 0, errors.decode()
    half = hub.repos["datasets/alice/urdu"].files
    assert "README.md" not in half
    assert sum(path.startswith("data/") for path in half) == 2
    stored, since = set(hub.objects), len(hub.requests)
    done = serbench(hub, tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert remote(hub.repos["datasets/alice/urdu"]) == local(built)
    again = [one.path.removeprefix("/lfs/") for one in hub.requests[since:] if one.method == "PUT"]
    assert sorted(again) == sorted(set(hub.objects) - stored)


def test_a_refusal_in_the_middle_leaves_the_folder_and_the_printed_command_goes_on(built, hub, serbench, tmp_path):
    before = local(built)
    hub.fail("POST", "/commit/", 503)
    arguments = ("push", "urdu", "--namespace", "alice", "--private", "--folder", str(built))
    done = serbench(hub, tmp_path, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "serbench: alice/urdu: the push stopped, because the Hub answered 503" in done.stderr
    assert local(built) == before
    again = shlex.split(done.stderr.partition("To go on:\n")[2].splitlines()[0])
    assert again == ["serbench", "push", "urdu", "--namespace", "alice", "--folder", str(built), "--private"]
    uploads = len(hub.asked("PUT"))
    assert serbench(hub, tmp_path, *again[1:]).returncode == 0
    assert len(hub.asked("PUT")) == uploads
    pushed = hub.repos["datasets/alice/urdu"]
    assert remote(pushed) == before
    assert pushed.private
    assert "This repository is meant to be private" in pushed.files["README.md"].content.decode()
    with pytest.raises(urllib.error.HTTPError, match="401"):  # nobody else can read it
        urllib.request.urlopen(f"{hub.url}/datasets/alice/urdu/resolve/main/README.md")


def test_what_the_hub_refuses_is_explained(built, hub, run_python, tmp_path):
    hub.repos["datasets/bob/urdu"] = Repo("bob/urdu", private=False)
    for status in (401, 403):
        hub.fail("POST", "/api/repos/create", status)
    hub.fail("PUT", "/lfs/", 403)

    def meddle() -> None:
        commits = hub.repos["datasets/alice/urdu"].commits
        commits.append(Commit("by somebody else", commits[-1].files, commits[-1].oid))

    hub.when("POST", "/preupload/", meddle)
    code = f"""
import json
from pathlib import Path
from huggingface_hub import constants
from loading_scripts import hub
for namespace in ("alice", "alice", "alice", "alice", "bob", "a/b", "nobody"):
    if namespace == "nobody":
        constants.ENDPOINT = "http://127.0.0.1:9"  # nothing listens there
    try:
        hub.push("urdu", namespace, Path({str(built)!r}), private=True)
    except hub.PushError as error:
        print(json.dumps(str(error)))
"""
    done = run_python(code, tmp_path, **hub.environment(tmp_path / "home"))
    first, second, third, fourth, public, wrong, unreachable = map(json.loads, done.stdout.splitlines())
    assert "the Hub answered 401" in first
    assert "hf auth login" in first
    assert "the Hub answered 403" in second
    assert "the Hub answered 403" in third
    assert "the Hub answered 412" in fourth
    assert "the repository exists and is public" in public
    assert hub.repos["datasets/bob/urdu"].files.keys() == {".gitattributes"}
    assert "Repo id must be in the form" in wrong
    assert "the Hub cannot be reached" in unreachable
    assert f"\n  serbench push urdu --namespace nobody --folder {built} --private" in unreachable


def test_an_unclear_licence_needs_private_or_permission(built):
    with pytest.raises(door.LicenceError, match="README: research purposes only") as refused:
        door.push("urdu", "alice", built)
    assert "--private" in str(refused.value)
    assert "--i-have-permission" in str(refused.value)


@pytest.mark.parametrize("options", [{}, {"private": True}, {"permission": True}])
def test_a_licence_that_forbids_is_refused_whatever_is_said(options, built, monkeypatch):
    module = registry.load("urdu")
    licence = dataclasses.replace(module.CORPUS.licence, id="EULA", redistribution=Permission.NO)
    monkeypatch.setattr(module, "CORPUS", dataclasses.replace(module.CORPUS, licence=licence))
    with pytest.raises(door.LicenceError, match="EULA.*forbids to pass on adapted copies"):
        door.push("urdu", "alice", built, **options)


@pytest.mark.parametrize("corpus", registry.ids())
def test_no_licence_without_derivatives_allows_a_public_copy(corpus):
    licence = registry.load(corpus).CORPUS.licence
    assert "ND" not in licence.id.split("-") or licence.redistribution is not Permission.YES


def test_the_card_of_ones_own_corpus_states_its_licence(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.parquet").write_bytes(b"PAR1")

    def push(licence: str, **options: bool) -> str:
        configs = "configs:\n- config_name: all\n  data_files:\n  - split: train\n    path: [data/a.parquet]\n"
        (tmp_path / "README.md").write_text(f"---\npretty_name: Mine\n{licence}\n{configs}---\n\n# Mine\n")
        with pytest.raises((door.LicenceError, door.PushError)) as stopped:
            door.push("mine", "alice", tmp_path, **options)
        return str(stopped.value)

    allowed = "alice/mine: the push stopped, because"  # these tests are offline
    assert allowed in push("license: cc-by-4.0")
    assert "Mine: its licence (unknown" in push("license: other\nlicense_name: unknown")
    assert allowed in push("license: other\nlicense_name: unknown", permission=True)
    # no derivatives: an adapted copy may be made, not shared
    assert "Add --private" in push("license: cc-by-nc-nd-4.0")
    assert "forbids" in push("license: cc-by-nc-nd-4.0", permission=True)
    assert allowed in push("license: cc-by-nc-nd-4.0", private=True)


def test_a_push_needs_the_whole_folder_of_that_corpus(built, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(door.PushError, match="Build it: serbench build emodb --raw DIR$"):
        door.push("emodb", "alice")
    with pytest.raises(door.PushError, match="Build it: serbench build demo$"):
        door.push("demo", "alice")
    with pytest.raises(door.PushError, match="Did you mean 'urdu'.*serbench build urdi --raw DIR --metadata TABLE$"):
        door.push("urdi", "alice", private=True)
    with pytest.raises(door.PushError, match="holds URDU, not EmoDB"):
        door.push("emodb", "alice", built)
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "README.md").write_bytes((built / "README.md").read_bytes())
    with pytest.raises(door.PushError, match="are missing.*Build it again: serbench build urdu --raw DIR --out"):
        door.push("urdu", "alice", tmp_path / "part", private=True)


def test_the_stand_in_answers_what_hub_clients_ask_for_every_kind_of_repository(hub, run_python, tmp_path):
    code = """
from pathlib import Path
from huggingface_hub import HfApi
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
api, folder = HfApi(), Path("folder")
files = {"README.md": b"---\\ntags: [x]\\n---\\n", "deep/er/a b.txt": b"text", "deep/weights.bin": bytes(range(256))}
for name, content in files.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
for kind in ("model", "dataset", "space"):
    where = {"repo_id": "somebody/thing", "repo_type": kind}
    api.create_repo(**where, space_sdk="gradio" if kind == "space" else None)
    first = api.upload_folder(**where, folder_path=folder).oid
    api.delete_file("deep/weights.bin", **where)
    assert [one.commit_id for one in api.list_repo_commits(**where)][1] == first
    assert api.list_repo_refs(**where).branches[0].target_commit == api.repo_info(**where).sha != first
    told = api.get_paths_info(**where, paths=["deep", "README.md", "none"])
    assert {one.path for one in told} == {"deep", "README.md"}
    assert {one.path for one in api.list_repo_tree(**where)} == {".gitattributes", "README.md", "deep"}
    local = Path(api.snapshot_download(**where, revision=first))
    assert all((local / name).read_bytes() == content for name, content in files.items())
    errors = []
    for missing in ({}, {"revision": "v9"}, {"repo_id": "no/thing"}):
        try:
            api.hf_hub_download(**where | missing, filename="none")
        except (EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError) as error:
            errors.append(type(error).__name__)
    assert errors == ["RemoteEntryNotFoundError", "RevisionNotFoundError", "RepositoryNotFoundError"], errors
try:
    api.upload_file(path_or_fileobj=b"---\\na: [\\n---\\n", path_in_repo="README.md", repo_id="somebody/thing")
except ValueError as error:
    print(error)
"""
    done = run_python(code, tmp_path, importable=False, **hub.environment(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert "Invalid metadata in README.md" in done.stdout
