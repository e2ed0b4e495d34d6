"""The page of a report: what it shows, that it stands alone, and that a browser can sort it."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lines import made, stored

from ser_trainer.benchmark.beside import SERAB_TASKS
from ser_trainer.benchmark.report import report_page, write_report
from ser_trainer.benchmark.stored import read

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LEAK = "speaker leak: 100% of the test utterances are of speakers that train"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results of two encoders under three protocols."""
    path = tmp_path_factory.mktemp("results")
    pairs = []
    for encoder, accuracy in (("opensmile", 0.5), ("byols_2048", 0.9)):
        for corpus in SERAB_TASKS.values():
            told = {"flags": [LEAK], "shared_speakers": 1.0} if corpus == "iemocap" else {}
            exposure = "seen" if corpus == "cremad" else "not seen"
            pairs.append(made(corpus, encoder=encoder, accuracy=accuracy, each=2, exposure=exposure, **told))
    about = {"protocol": "emobox-intra", "encoder": "wavlm_large", "each": 2}
    for layer in range(4):
        pairs.append(made("urdu", "fold1", layer=str(layer), head="linear", accuracy=0.3 + 0.2 * layer, **about))
    weights = {"layer_weights": [0.1, 0.2, 0.3, 0.4]}
    pairs.append(made("urdu", "fold1", layer="weighted", head="weighted", hyperparameters=weights, **about))
    for both in ("iemocap>meld", "meld>iemocap"):
        pairs.append(made(both, "balanced", protocol="emobox-cross", encoder="wavlm_large", each=2))
    stored(path, *pairs)
    return path


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(read([folder]), path)
    return path


class Tags(HTMLParser):
    """Every tag with its attributes; refuses tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "img"):
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag, self.getpos()

    def close(self):
        super().close()
        assert not self._open


def tags(path: Path) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(path.read_text(encoding="utf-8"))
    parser.close()
    return parser.seen


def test_the_page_is_whole_and_needs_nothing_else(page: Path):
    for tag, attributes in tags(page):
        assert tag not in ("link", "iframe", "img")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page.read_text(encoding="utf-8")
    assert [one.name for one in page.parent.iterdir()] == ["report.html"]


def test_every_table_has_a_caption_and_every_picture_a_name(page: Path):
    seen = tags(page)
    names = [tag for tag, _ in seen]
    assert names.count("caption") == names.count("table") > 10
    assert all(told.get("aria-label") for tag, told in seen if tag == "svg" and told.get("role") == "img")
    assert all(told.get("aria-hidden") for tag, told in seen if tag == "svg" and told.get("role") != "img")
    links = {told["href"][1:] for tag, told in seen if tag == "a"}
    assert links <= {told["id"] for _, told in seen if "id" in told}


def test_the_better_encoder_leads_and_marks_are_explained(folder: Path):
    shown = report_page(read([folder]))
    serab = shown.protocols[0]
    assert [row[0] for row in serab.leaderboard.rows] == ["byols_2048", "opensmile"]
    cells = dict(zip(serab.leaderboard.header, serab.leaderboard.rows[0], strict=True))
    assert cells["cremad"].endswith(" *") and cells["iemocap"].endswith(" [1]")
    assert cells["corpora"] == "9/9"
    assert any(LEAK in line for line in shown.legend)
    assert {one.title for one in serab.published} == {
        "serab, strict: opensmile, layer last, svc",
        "serab, strict: byols_2048, layer last, svc",
    }


def test_layers_and_their_learned_weights_are_drawn(folder: Path):
    (urdu,) = report_page(read([folder])).protocols[1].corpora
    ((name, curve),) = urdu.curves.items()
    assert (name, [layer for layer, _ in sorted(curve)]) == ("wavlm_large", [0, 1, 2, 3])
    ((_, weights),) = urdu.weights.items()
    assert weights == [(0, 10.0), (1, 20.0), (2, pytest.approx(30.0)), (3, 40.0)]


def test_the_matrix_on_the_page_is_the_sum_over_folds(tmp_path: Path):
    lines = [made("emodb", f"fold{fold}", protocol="emobox-intra", encoder="mine") for fold in (1, 2)]
    stored(tmp_path, *lines)
    (corpus,) = report_page(read([tmp_path])).protocols[0].corpora
    (matrix,) = corpus.matrices
    assert sum(map(sum, matrix.counts)) == sum(line.n for line, _ in lines)
    recall = [float(shown) for _, _, shown in matrix.rows]
    assert sum(recall) / 4 == pytest.approx(100 * sum(line.scores["ua"] for line, _ in lines) / 2, abs=0.1)


def test_two_versions_of_a_test_set_are_pointed_out(tmp_path: Path):
    stored(tmp_path, made(encoder="one"), made(encoder="two", split="another0another0"))
    tests, _ = report_page(read([tmp_path])).provenance
    assert any("not all" in note.lower() and "emodb" in note for note in tests.notes)


def test_results_of_several_folders_stand_on_one_page(tmp_path: Path):
    for name in ("one", "two"):
        stored(tmp_path / name, made(encoder=name))
    shown = report_page(read([tmp_path / "one", tmp_path / "two"]))
    assert {row[0] for row in shown.protocols[0].leaderboard.rows} == {"one", "two"}


def test_names_of_others_are_shown_and_not_run(tmp_path: Path):
    name = '<script>alert("x")</script>'
    stored(tmp_path, *(made(encoder=name, layer=str(layer), flags=["<b>flag"]) for layer in range(2)))
    write_report(read([tmp_path]), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("<script>") == 1 and "<b>" not in text
    assert "&lt;script&gt;alert(" in text
    tags(tmp_path / "report.html")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_sorts_by_a_column(page: Path, tmp_path: Path):
    """Click on the heads of a copy of the page, and read the order of the rows."""
    click = """<script>
      const table = document.querySelector("table.sortable"), orders = [];
      const find = name => [...table.querySelectorAll("th button")].find(one => one.textContent === name);
      for (const name of ["UM", "UM", "encoder"]) {
        find(name).click();
        orders.push([...table.tBodies[0].rows].map(row => row.cells[0].textContent).join(" "));
      }
      document.title = orders.join(", ");
    </script></body>"""
    copy = tmp_path / "copy.html"
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", click), encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*command, "--dump-dom", copy.as_uri()], capture_output=True, text=True, timeout=120)
    orders = re.search("<title>(.*?)</title>", done.stdout)[1].split(", ")
    assert orders == ["byols_2048 opensmile", "opensmile byols_2048", "byols_2048 opensmile"]
    assert 'aria-sort="ascending"' in done.stdout
