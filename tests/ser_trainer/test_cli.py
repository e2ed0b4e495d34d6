"""The command `serbench`, as a person meets it."""

import json

import pytest
from conftest import published
from typer.testing import CliRunner

from loading_scripts import registry
from ser_trainer import cli
from ser_trainer.doctor import examine

run = CliRunner().invoke


@pytest.mark.parametrize("command", ["corpora", "info", "explain", "audit", "build", "push", "setup", "doctor"])
def test_every_command_says_what_it_does_with_an_example(command):
    shown = run(cli.app, [command, "--help"])
    assert shown.exit_code == 0
    assert "Example: serbench" in shown.output


def test_corpora_lists_every_record_plain_and_as_json():
    lines = run(cli.app, ["corpora"]).output.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["id", *registry.ids()]
    listed = json.loads(run(cli.app, ["corpora", "--json"]).output)
    assert [one["id"] for one in listed] == list(registry.ids())
    assert "CC-BY-NC-SA-4.0" in {one["licence"] for one in listed}


def test_build_says_where_and_how_to_load(tones, tmp_path):
    root = tones(tmp_path / "raw", [line["path"] for line in published("urdu")])
    done = run(cli.app, ["build", "urdu", "--raw", str(root), "--out", str(tmp_path / "serbench" / "urdu")])
    assert done.exit_code == 0, done.output
    assert 'load_dataset("serbench/urdu", "all")' in done.output
    assert (tmp_path / "serbench" / "urdu" / "README.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "urdi", "--raw", "."], "Did you mean 'urdu'"),
        (["build", "emodb"], "serbench build emodb --raw"),
        (["build", "urdu", "--raw", "nowhere"], "does not exist"),
    ],
)
def test_what_a_user_can_mend_is_one_message_without_a_traceback(arguments, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["serbench", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    shown = capsys.readouterr().err
    assert left.value.code == 2
    assert shown.startswith("serbench: ")
    assert message in shown
    assert "Traceback" not in shown


def test_the_doctor_finds_a_missing_package_and_names_the_line_that_mends_it(monkeypatch):
    monkeypatch.setattr("importlib.metadata.requires", lambda _: ["numpy>=1", "no_such_package>=2", "datasets>=99"])
    findings = {one.what: one for one in examine()}
    assert findings["numpy"].good
    assert findings["no_such_package"].mend == "pip install 'no_such_package>=2'"
    assert not findings["datasets"].good
    assert "needs >=99" in findings["datasets"].found
    assert findings["FLAC through soundfile"].good
    assert all(one.mend for one in findings.values() if not one.good)
