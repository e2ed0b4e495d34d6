"""The page of the metric: what it answers, and that it serves the folder as a Space has it."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import ser_metrics
from ser_metrics import app, scores

EMOTIONS = "anger, happiness, neutral, sadness"


def test_answers_without_a_page():
    told = json.loads(app.answer("anger\nanger\n\nhappiness", "anger,anger, anger", EMOTIONS, "", "declared", False))
    expected = scores(["anger", "anger", "happiness"], ["anger"] * 3, EMOTIONS.split(", "), "declared", True, True)
    assert {key: told[key] for key in expected} == expected
    told = json.loads(app.answer("0 , 1", "0\n1", "", "A\nB", app.CONVENTIONS[0], False))
    assert (told["wa"], told["labels"], told["per_group"]["B"]["n"]) == (1, [0, 1], 1)
    named = json.loads(app.answer("joy, sad", "joy, joy", "joy,sad", "", app.CONVENTIONS[0], True))
    assert (named["labels"], named["confidence"]["by"]) == (["joy", "sad"], "utterances")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("anger", "angr", EMOTIONS, "", "present", False), "references[0]: 'angr' (str) is no declared class"),
        (("", "anger", EMOTIONS, "", "present", False), "predictions: no entry"),
        (("0.5", "1", "", "", "present", False), "predictions[0]: '0.5' (str) is a name. Declare the class names"),
        (("anger", "anger", EMOTIONS, "A", "present", True), "groups: 1 groups are too few"),
    ],
)
def test_says_what_is_wrong(given, message):
    answer = app.answer(*given)
    assert not answer.startswith("{")
    assert message in answer


@pytest.mark.skipif(importlib.util.find_spec("gradio") is not None, reason="gradio is installed")
def test_says_what_to_install():
    with pytest.raises(ImportError, match="pip install gradio"):
        app.page()


@pytest.mark.skipif(importlib.util.find_spec("gradio") is None, reason="needs gradio")
def test_serves_the_folder_on_loopback(tmp_path):
    """The folder lies alone, as in a Space, and the package cannot be imported."""
    folder = tmp_path / "app"
    shutil.copytree(Path(ser_metrics.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "NO_PROXY": "127.0.0.1"}
    environment |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HOME": str(tmp_path / "home")}
    server = subprocess.Popen([sys.executable, "app.py"], cwd=folder, env=environment)
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                page = browser.open(address).read().decode()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.3)
        assert "SER metrics" in page
        given = json.dumps({"data": ["anger, happiness", "anger, anger", EMOTIONS, "", "declared", False]}).encode()
        call = urllib.request.Request(f"{address}/gradio_api/call/score", given, {"Content-Type": "application/json"})
        event = json.load(browser.open(call))["event_id"]
        told = browser.open(f"{address}/gradio_api/call/score/{event}").read().decode()
        answer = json.loads(json.loads(told.partition("data: ")[2].splitlines()[0])[0])
        assert (answer["ua"], answer["wa"]) == (0.125, 0.5)
    finally:
        server.kill()
        server.wait()
