"""What must hold of the project as a whole: packaged files, arrows between rooms, fast imports."""

import ast
import configparser
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from ser_metrics import scores

ROOMS = ("loading_scripts", "ser_metrics", "ser_trainer", "model_cards")
ALLOWED = {
    "model_cards": set(),
    "ser_metrics": set(),
    "loading_scripts": {"model_cards", "ser_metrics"},
    "ser_trainer": {"loading_scripts", "ser_metrics", "model_cards"},
}


def test_every_data_file_of_a_package_is_installed():
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(REPOSITORY / "setup.cfg")
    for room in ROOMS:
        patterns = setup["options.package_data"].get(room, "").split()
        packaged = {path for pattern in patterns for path in (REPOSITORY / room).glob(pattern)}
        files = {path for path in (REPOSITORY / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {path for path in files if path.suffix != ".py"} <= packaged
        assert all((path.parent / "__init__.py").exists() for path in files if path.suffix == ".py")


def imported(path: Path) -> set[str]:
    """Return the rooms that a file imports, but for those it needs only as types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        node
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and "TYPE_CHECKING" in ast.unparse(test.test)
        for node in ast.walk(test)
    }
    names = set()
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.split(".")[0] for name in names} & set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_between_rooms_go_one_way(room):
    for path in (REPOSITORY / room).rglob("*.py"):
        assert imported(path) - {room} <= ALLOWED[room], path


@pytest.mark.parametrize(
    ("imports", "absent"),
    [
        ("import loading_scripts", {"torch", "transformers", "evaluate", "matplotlib", "sklearn"}),
        ("from ser_metrics import scores", {"torch", "transformers", "evaluate", "datasets", "sklearn", "scipy"}),
        ("import ser_trainer", {"torch", "transformers", "evaluate", "matplotlib"}),
        ("from ser_trainer import cli", {"torch", "transformers", "evaluate", "matplotlib"}),
    ],
)
def test_imports_stay_light(imports, absent, run_python, tmp_path):
    done = run_python(f"import sys\n{imports}\nprint(*sorted({absent!r} & set(sys.modules)))", cwd=tmp_path)
    assert done.stdout.strip() == "", done.stderr


def test_importing_writes_nothing(run_python, tmp_path):
    home = tmp_path / "home"
    done = run_python("import loading_scripts, ser_metrics, ser_trainer", cwd=tmp_path, HF_HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert not list(home.rglob("*")) if home.exists() else True


def test_the_readme_tells_ci_what_to_run():
    blocks = re.findall(r"```bash\n(.*?)```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), flags=re.S)
    assert "accelerate launch examples/finetune.py" in blocks[0]
    assert "pytest" in blocks[1]


def test_the_scores_in_the_readme_are_the_scores():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    found = scores([0, 1, 1, 2], [0, 1, 2, 2])
    shown = ", ".join(f"{name!r}: {found[name]!r}" for name in ("ua", "wa", "f1", "uar"))
    assert f"# {{{shown}, ...}}" in text


def test_no_third_party_requirement_is_forgotten():
    """Every import of the packages is ours, standard, in install_requires, or in an extra that its error names."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(REPOSITORY / "setup.cfg")
    required = {re.split(r"[<>=\[; ]", line)[0] for line in setup["options"]["install_requires"].split("\n") if line}
    modules = {"scikit-learn": "sklearn", "pyyaml": "yaml"}
    required |= {"opensmile", "h5py", "tensorflow"}  # encoders that say which extra installs them
    known = {modules.get(name, name) for name in required} | set(ROOMS) | set(sys.stdlib_module_names)
    for room in ROOMS:
        for path in (REPOSITORY / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module]
                for name in names:
                    assert name.split(".")[0] in known | {"torchcodec"}, f"{path}: {name}"


def test_no_path_of_one_machine_is_tracked():
    listed = subprocess.run(
        ["git", "grep", "-nIE", r"(^|[^A-Za-z.])/(home|root|work|Users)/[a-z]"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert listed.returncode in (1, 128), listed.stdout


def commands(script: str) -> list[list[str]]:
    """Return the words after a script in every command of the README that runs it."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.S)
    lines = [line for block in blocks for line in block.splitlines() if f"examples/{script}" in line]
    return [shlex.split(line.split(f"examples/{script}", 1)[1]) for line in lines]


@pytest.mark.parametrize("script", ["finetune.py", "exhubert_transfer.py"])
def test_the_commands_of_the_readme_have_arguments_that_there_are(script):
    from ser_trainer.finetune.settings import parse

    kinds = runpy.run_path(str(REPOSITORY / "examples" / script))
    others = [kinds["TransferArguments"]] if "TransferArguments" in kinds else []
    assert commands(script)
    for words in commands(script):
        parse([str(REPOSITORY / word) if word.endswith(".yaml") else word for word in words], "", *others)
