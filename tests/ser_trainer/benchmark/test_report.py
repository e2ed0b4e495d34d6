"""The page of a report: what it shows, that it stands alone, and that a browser can sort it."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lines import made, stored

from ser_trainer.benchmark.results.beside import SERAB_TASKS
from ser_trainer.benchmark.results.report import report_page, write_report
from ser_trainer.benchmark.results.report_pages import INDEX, file_names, pages, write_pages
from ser_trainer.benchmark.results.stored import read

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


# --- a page for each encoder ---


@pytest.fixture(scope="module")
def site(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site")
    own = tmp_path_factory.mktemp("own")
    corpora = ("emovo", "mesd")
    names = [one if one == other else f"{one}>{other}" for one in corpora for other in corpora]
    about = {"protocol": "serevals", "encoder": "org/<mine>", "exposure": "unknown", "each": 2}
    stored(own, *(made(one, **about) for one in names))
    assert [one.name for one in write_pages(read([folder, own]), path)][0] == INDEX
    return path


def test_the_pages_link_to_each_other_and_to_nothing_else(site: Path):
    files = {one.name for one in site.iterdir()}
    assert len(files) == 5
    for file in files:
        links = {told["href"] for tag, told in tags(site / file) if tag == "a" and not told["href"].startswith("#")}
        assert links == files - {file}
        assert "src=" not in (site / file).read_text(encoding="utf-8")


def test_the_page_of_an_encoder_has_its_protocols_its_record_and_what_it_saw(folder: Path):
    shown = pages(read([folder]))
    page = shown["byols_2048.html"]
    record, seen = page.about
    assert "licence" in [row[0] for row in record.rows]
    assert [row[:2] for row in seen.rows][0] == ["seen", "cremad"]
    assert "cremad" not in seen.rows[-1][1] and "aesdd" in seen.rows[-1][1]
    assert [one.name for one in shown["wavlm_large.html"].protocols] == ["emobox-intra, strict", "emobox-cross, strict"]
    for one in page.protocols:
        assert {row[0] for row in one.leaderboard.rows} == {"byols_2048"}


def test_the_index_has_each_encoder_once_with_its_average_in_each_protocol(folder: Path):
    index = pages(read([folder]))[INDEX]
    (across,) = index.about
    assert [row[0] for row in across.rows] == ["opensmile", "byols_2048", "wavlm_large"]
    serab = index.protocols[0].leaderboard
    um = {row[0]: dict(zip(serab.header, row, strict=True))["UM"] for row in serab.rows}
    assert {row[0]: row[1] for row in across.rows} == {
        **{one: f"{value} (9)" for one, value in um.items()},
        "wavlm_large": "-",
    }
    line, _ = made("urdu", "fold1", protocol="emobox-intra", encoder="wavlm_large", each=2, accuracy=0.9)
    assert across.rows[2][2] == f"{100 * line.scores['ua']:.1f} (1) 3, linear"  # the best of its layers, as is said
    assert not any(one.published for one in index.protocols)  # they stand on the pages of the encoders


def test_an_encoder_without_a_row_has_its_heat_map_and_the_best_of_the_published(site: Path):
    text = next(site.glob("org-*.html")).read_text(encoding="utf-8")
    assert text.count('<figure class="heat">') == 2 and "median of the nine" in text
    assert "cell by cell beside the nine" in text
    assert "no record" in text and "org/&lt;mine&gt;" in text


def test_files_of_pages_differ_on_every_file_system():
    names = ["index", "a", "A", "org/a", "org-a", "a" * 300, "../a", "ä"]
    files = file_names(names)
    assert len({file.casefold() for file in files.values()}) == len(names)
    assert files["a"] == "a.html" and INDEX not in files.values()
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,80}\.html", one) for one in files.values())


def test_options_that_all_have_are_told_once_and_long_ones_as_a_hash(tmp_path: Path):
    sources = [f"corpus{number}:emosetpp" for number in range(9)]
    kinds = (("plain", {"steps": 5}), ("frozen", {"steps": 5, "sources": sources}))
    about = {"protocol": "exhubert", "encoder": "mine", "grid": [{"validation": 0.5}], "each": 2}
    stored(
        tmp_path, *(made("aesi", "emosetpp", head=f"emosetpp-{name}", options=told, **about) for name, told in kinds)
    )
    page = report_page(read([tmp_path]))
    board = page.protocols[0].leaderboard
    assert "All with steps=5." in board.notes
    heads = sorted(row[2] for row in board.rows)
    assert re.fullmatch(r"emosetpp-frozen, sources=#[0-9a-f]{6}", heads[0]) and heads[1] == "emosetpp-plain"
    assert any("corpus8:emosetpp" in cell for row in page.provenance[1].rows for cell in row)


def test_a_leaderboard_of_many_pairs_has_columns_for_corpora_alone(tmp_path: Path):
    corpora = [f"c{number}" for number in range(7)]
    names = [one if one == other else f"{one}>{other}" for one in corpora for other in corpora]
    stored(tmp_path, *(made(one, protocol="serevals", encoder="mine", speakers=1, each=1) for one in names))
    (protocol,) = report_page(read([tmp_path])).protocols
    assert protocol.leaderboard.header[-7:] == corpora
    assert any("42 pairs" in note for note in protocol.leaderboard.notes)
    assert len(protocol.folded) == 42


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
