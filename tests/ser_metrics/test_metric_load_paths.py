"""Every way to load the metric, each in a fresh process with a clean cache and no network."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_hub import Hub

import ser_metrics
from ser_metrics import seed

ROOT = Path(ser_metrics.__file__).parent.parent

# evaluate imports transformers for its evaluators, which nothing here uses; without it each process saves six seconds.
PREAMBLE = """
import json, os, sys
sys.modules["transformers"] = None
{first}
import evaluate
del sys.modules["transformers"]
from evaluate import load

def check(metric):
    result = metric.compute(predictions=[0, 0, 0, 1], references=[0] * 4, per_class=True, confusion_matrix=True)
    assert (result["ua"], result["wa"], round(result["f1"], 3), result["uar"]) == (0.75, 0.75, 0.429, 0.75), result
    assert result["confusion_matrix"] == [[3, 1], [0, 0]] and result["per_class"][0]["support"] == 4, result
    try:
        metric.compute(predictions=[0.9], references=[0])
    except ValueError as refusal:
        assert "predictions[0]: 0.9" in str(refusal)
    else:
        raise AssertionError("0.9 was cast to a class")
    return type(metric).__module__
"""

# Two processes that share caches install the metric at once, collect one half each, and the first scores both.
TOGETHER = """
        rank, home = int(os.environ["RANK"]), os.environ["HF_HOME"]
        metric = load("./ser_metrics", num_process=2, process_id=rank, experiment_id="both", cache_dir=home)
        metric.add_batch(predictions=[0, 1][: 2 - rank], references=[0, 0][: 2 - rank])
        result = metric.compute(confusion_matrix=True)
        assert (result is None) if rank else (result["confusion_matrix"] == [[2, 1], [0, 0]]), result
        print(json.dumps([check(load("./ser_metrics"))]))
"""

PROCESSES = {  # two run at a time, in this order
    "paths": """
        root = [check(load(path)) for path in ("ser_metrics", "./ser_metrics", ROOM)]
        os.chdir(os.environ["HF_HOME"])
        print(json.dumps(root + [check(load(ROOM)), check(load(ROOM + "/ser_metrics.py"))]))
    """,
    "imported first": """
        combined = evaluate.combine(["ser_metrics", "ser_metrics"])
        assert combined.compute(predictions=[0, 1], references=[1, 1])["ser_metrics_1_ua"] == 0.5
        print(json.dumps([check(load("ser_metrics"))]))
    """,
    "seeded, offline": """
        assert "ser_metrics" not in sys.modules
        modules = [check(load("ser_metrics")), str(evaluate.config.HF_MODULES_CACHE)]

        sys.path.insert(0, os.path.dirname(ROOM))
        import ser_metrics.hook  # from now on the package is found, also by the `load` bound before
        find = evaluate.loading.evaluation_module_factory
        ser_metrics.hook.install()
        assert evaluate.loading.evaluation_module_factory is find
        try:
            load("ser_metric")
        except FileNotFoundError:
            pass
        else:
            raise AssertionError("other names are evaluate's business")
        print(json.dumps([*modules, check(load("ser_metrics"))]))
    """,
    "seeded, network unreachable": """
        assert not evaluate.config.HF_EVALUATE_OFFLINE
        print(json.dumps([check(load("ser_metrics")), str(evaluate.config.HF_MODULES_CACHE)]))
    """,
    "together 0": TOGETHER,
    "together 1": TOGETHER,
    "from a Space": """
        assert "ser_metrics" not in sys.modules
        print(json.dumps([check(load("alice/ser_metrics"))]))
        rated = load("alice/ser_metrics", "dimensional").compute(predictions=[[1, 2, 3]], references=[[1, 2, 4]])
        assert rated["dominance"]["mae"] == 1
    """,
}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Push the folder as it is to a Space of the stand-in for the Hub."""
    with Hub() as hub:
        code = f"""
from huggingface_hub import HfApi
api, where = HfApi(), {{"repo_id": "alice/ser_metrics", "repo_type": "space"}}
api.create_repo(**where, space_sdk="gradio")
api.upload_folder(**where, folder_path={str(ROOT / "ser_metrics")!r}, ignore_patterns="**/__pycache__/**")
"""
        environment = os.environ | hub.environment(tmp_path_factory.mktemp("alice"))
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        yield hub


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, space: Hub
) -> dict[str, tuple[Path, subprocess.Popen, str, str]]:
    """Run all processes, two at a time; return for each its HF_HOME, itself, what it wrote and complained of."""
    running = {}
    together = tmp_path_factory.mktemp("together")
    for name, body in PROCESSES.items():
        home = tmp_path_factory.mktemp("home")
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "PYTHON"))}
        environment |= {"HF_HOME": str(home), "HF_EVALUATE_OFFLINE": "1", "NO_PROXY": "*"}
        if name == "imported first":
            environment["PYTHONPATH"] = str(ROOT)
        if name.startswith("seeded"):
            subprocess.run(
                [sys.executable, "-c", "from ser_metrics.seed import seed_cache; seed_cache()"],
                env=environment | {"PYTHONPATH": str(ROOT)},
                check=True,
            )
        if name == "from a Space":
            environment |= space.environment(home)
        if name.startswith("together"):
            home = together
            environment |= {"HF_HOME": str(home), "RANK": name[-1]}
        if name.endswith("unreachable"):
            environment |= {"HF_EVALUATE_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}
        first = ""
        if name == "imported first":
            first = "import ser_metrics; assert not {'evaluate', 'datasets', 'torch', 'pandas'} & set(sys.modules)"
        code = PREAMBLE.format(first=first) + f"ROOM = {str(ROOT / 'ser_metrics')!r}\n" + textwrap.dedent(body)
        running[name] = (
            home,
            subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=ROOT if name.startswith(("paths", "together")) else elsewhere,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ),
        )
        if len(running) % 2 == 0:
            for _, process in list(running.values())[-2:]:
                process.wait(timeout=120)
    return {name: (home, process, *process.communicate()) for name, (home, process) in running.items()}


@pytest.mark.parametrize("name", PROCESSES)
def test_load_path(name: str, outcomes: dict[str, tuple[Path, subprocess.Popen, str, str]], space: Hub) -> None:
    home, process, written, complaints = outcomes[name]
    assert process.returncode == 0, complaints
    modules = json.loads(written.splitlines()[-1])
    cached = [module.startswith("evaluate_modules.metrics.") for module in modules]
    if name.startswith(("paths", "together")):
        assert all(cached), modules
    elif name == "from a Space":
        assert modules[0].startswith("evaluate_modules.metrics.alice--ser_metrics"), modules
        fetched = {Path(one.path).name for one in space.asked("GET") if "/resolve/" in one.path}
        assert fetched == set(seed.SOURCES)
    elif name == "imported first":
        assert modules == ["ser_metrics.ser_metrics"]
        assert not list(home.rglob("*.py"))  # an import writes nothing into a user's cache
    else:
        assert cached[0], modules
        assert modules[1] == str(home / "modules")  # evaluate reads the environment as `seed` does
        assert modules[2:] in ([], ["ser_metrics.ser_metrics"])
