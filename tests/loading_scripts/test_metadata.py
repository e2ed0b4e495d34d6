"""The metadata door: a table of the user's own becomes a corpus like any other."""

import csv
import io
import json
import os
import re
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from datasets import load_dataset
from huggingface_hub import DatasetCard
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from loading_scripts import cli, labels, listing, repo
from loading_scripts.errors import RawTreeError, SerbenchError, SheetError, UnknownNameError
from loading_scripts.metadata import card as own_card
from loading_scripts.metadata.door import read
from loading_scripts.metadata.splits import folds

SPEAKERS = ("ann", "bob", "cyd", "Zoë")
FILES = [f"{speaker}/{number}.wav" for speaker in SPEAKERS for number in range(5)]
WORDS = ("angry", "Happy", "NEUTRAL", "sad")
GENDERS = {"ann": "F", "bob": "male", "cyd": "", "Zoë": "f"}


def lines() -> list[dict[str, object]]:
    """Return the rows of a good table with every column."""
    return [
        {
            "file": path,
            "emotion": WORDS[number % 4],
            "speaker": path.split("/")[0],
            "split": ("train", "dev", "Test", "train")[SPEAKERS.index(path.split("/")[0])],
            "fold": number % 3 + 1,
            "gender": GENDERS[path.split("/")[0]],
            "language": ("en", "de-AT")[number % 2],
            "arousal": 1 + number / 4,
            "start": 0.02 if number == 7 else None,
            "end": 0.08 if number == 7 else None,
            "transcript": f'"No", she said; it was {number},\nand\tno more.',
        }
        for number, path in enumerate(FILES)
    ]


def write(path: Path, rows: list[dict[str, object]], header: tuple[str, ...] | None = None) -> Path:
    """Write a table as its suffix says; ``.excel.csv`` is what a spreadsheet program with a decimal comma writes."""
    header = header or tuple(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".parquet":
        pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in header}), path)
        return path
    excel = path.name.endswith(".excel.csv")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";" if excel else "\t" if path.suffix == ".tsv" else ",")
    writer.writerow([name.upper() if excel else name for name in header])
    for row in rows:
        cells = ["" if row.get(name) is None else row[name] for name in header]
        writer.writerow([str(cell).replace(".", ",") if excel and isinstance(cell, float) else cell for cell in cells])
        if excel:
            writer.writerow(["", "  ", *[""] * (len(header) - 2)])  # blank
    path.write_bytes((b"\xef\xbb\xbf" if excel else b"") + text.getvalue().encode())
    return path


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """Return a raw folder with a different sound in each file, two of them at another rate or in stereo."""
    root = tmp_path_factory.mktemp("recordings")
    generator = np.random.default_rng(3)
    for number, path in enumerate(FILES):
        rate, channels = ((16_000, 1), (44_100, 2))[number in (3, 4)]
        (root / path).parent.mkdir(exist_ok=True)
        soundfile.write(root / path, generator.uniform(-0.5, 0.5, (rate // 10 + number, channels)), rate)
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


_STOCK = """
import json, sys, datasets
assert not any(name.startswith(("loading_scripts", "ser_")) for name in sys.modules)
configs = datasets.get_dataset_config_names("serbench/mine")
official = {split: part["id"][:] for split, part in datasets.load_dataset("serbench/mine", "official").items()}
rows = datasets.load_dataset("serbench/mine", split="train").remove_columns("audio")
print(json.dumps([configs, official, rows.features["emotion"].names, rows.to_list()]))
"""


def test_a_table_becomes_a_folder_that_stock_datasets_loads(raw, tmp_path, monkeypatch, run_python):
    monkeypatch.chdir(tmp_path)
    table = write(tmp_path / "table.csv", lines())
    (tmp_path / "card.md").write_text(
        "---\npretty_name: My Corpus\nlicense: cc-by-nc-4.0\nhomepage: https://example.org\n"
        "citation: '@misc{me, title = {Mine}}'\n---\nOf my own.\n"
    )
    command = ["build", "mine", "--raw", str(raw), "--metadata", str(table), "--card", "card.md"]
    done = CliRunner().invoke(cli.app, command, catch_exceptions=False)
    assert 'load_dataset("serbench/mine", "all")' in done.output

    stock = run_python(_STOCK, cwd=tmp_path, importable=False)
    configs, official, names, rows = json.loads(stock.stdout or pytest.fail(stock.stderr))
    assert set(configs) == {"all", "official", *(f"fold{k}" for k in (1, 2, 3)), *(f"speaker{k}" for k in range(1, 5))}
    assert list(official) == ["train", "validation", "test"]
    assert {one.split("-")[1] for one in official["test"]} == {"cyd"}
    assert names == ["anger", "happiness", "neutral", "sadness"]
    row = next(row for row in rows if row["id"] == "mine-bob-2@20-80")
    assert row == {
        "id": "mine-bob-2@20-80",
        "emotion": 3,
        "canonical": "sadness",
        "native": "sad",
        "unified8": labels.UNIFIED8.index("sadness"),
        "arousal_valence": labels.AROUSAL_VALENCE.index("low_negative"),
        "speaker": "bob",
        "gender": "male",
        "language": "de-AT",
        "duration": pytest.approx(0.06),
        "arousal": 2.75,
        "valence": None,
        "dominance": None,
        "transcript": '"No", she said; it was 7,\nand\tno more.',
    }

    card = DatasetCard.load(tmp_path / "serbench" / "mine" / "README.md")
    assert (card.data.pretty_name, card.data.license, card.data.language) == ("My Corpus", "cc-by-nc-4.0", ["de", "en"])
    for part in ("Of my own.", "yes, no", "@misc{me", "owner: https://example.org", "arousal 1 to 5.75", "`Happy`"):
        assert part in card.text
    assert str(raw) not in card.content


@pytest.fixture(scope="module")
def folder(raw, tmp_path_factory) -> Path:
    """Return a folder with the good table as t.csv, and what it becomes as mine."""
    folder = tmp_path_factory.mktemp("tables")
    repo.build(read("mine", write(folder / "t.csv", lines()), raw), raw, folder / "mine")
    return folder


@pytest.mark.parametrize("name", ["t.tsv", "t.excel.csv", "t.parquet"])
def test_every_format_and_order_of_rows_gives_the_same_folder(name, raw, folder, tmp_path):
    table = write(tmp_path / name, lines()[::-1])
    assert contents(repo.build(read("mine", table, raw), raw, tmp_path / "mine")) == contents(folder / "mine")


text = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=12)
number = st.none() | st.floats(-9, 9, width=32)


@st.composite
def tables(draw) -> list[dict[str, object]]:
    return [
        {
            "file": path,
            "emotion": draw(st.sampled_from(WORDS)),
            "speaker": draw(text),
            "language": draw(st.sampled_from([None, "en", "yue", "pt-BR"])),
            "valence": draw(number),
            "dominance": draw(number),
            "transcript": draw(text),
        }
        for path in draw(st.lists(st.sampled_from(FILES), min_size=1, unique=True))
    ]


def cleaned(cell: object) -> str | None:
    return unicodedata.normalize("NFC", str(cell)).strip() or None


@settings(max_examples=60, deadline=None)
@given(rows=tables())
def test_rows_in_are_rows_out_in_every_format(rows, raw, folder):
    suffixes = ("csv", "tsv", "excel.csv", "parquet")
    modules = [read("mine", write(folder / f"drawn.{suffix}", rows), raw) for suffix in suffixes]
    for module in modules:
        for row, one in zip(rows, module.utterances, strict=True):
            assert one.path == row["file"]
            assert one.id == "mine-" + row["file"].removesuffix(".wav").replace("/", "-")
            assert (one.native, one.speaker, one.transcript) == (
                row["emotion"],
                cleaned(row["speaker"]),
                cleaned(row["transcript"]),
            )
            assert one.language == (row["language"] or "und")
            assert (one.valence, one.dominance) == (row["valence"], row["dominance"])
    assert all(module.CORPUS == modules[0].CORPUS for module in modules)


@given(st.lists(st.sampled_from(["1", "2", "3", "10", "a", ""]), min_size=2, max_size=30))
def test_every_row_with_a_fold_is_tested_once(values):
    value_of = {f"u{number}": value for number, value in enumerate(values) if value}
    if len(set(value_of.values())) < 2:
        return
    utterances = [SimpleNamespace(id=f"u{number}") for number in range(len(values))]
    parts = [fold.assign(utterances) for fold in folds("t.csv", value_of).values()]
    order = sorted(set(value_of.values()), key=["1", "2", "3", "10", "a"].index)
    for part, tested in zip(parts, order, strict=True):
        assert part == [{tested: "test", "": None}.get(value, "train") for value in values]


def changed(**cells: object) -> list[dict[str, object]]:
    """Return a good table with `cells` changed in row 2, line 3 of a file."""
    rows = [{key: value for key, value in row.items() if key != "transcript"} for row in lines()]
    rows[1] |= cells
    return rows


def without(name: str, **renamed: str) -> list[dict[str, object]]:
    return [{renamed.get(key, key): value for key, value in row.items() if key != name} for row in changed()]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (without("speaker"), "needs the columns file, emotion, speaker; 'speaker' is missing"),
        (without("", speaker="Speakers"), "'speaker' is missing. Did you mean 'speakers'"),
        (without("", gender="FILE"), "column names are unique"),
        (changed(file=""), "line 3: file is a path.*empty"),
        (changed(file="ann/9.wav"), "line 3: .*'ann/9.wav' does not exist there. Did you mean '"),
        (changed(file="../x.wav"), "line 3: .*'../x.wav' leaves it"),
        (changed(file="ann/../../x.wav"), "leaves it. Choose --raw"),
        (changed(file="/etc/x.wav"), "leaves it"),
        (changed(file="ann/0.wav"), "line 3: ids.* are unique; found 'mine-ann-0' in line 2 too"),
        (changed(emotion=""), "line 3: emotion has a label in every row"),
        (changed(emotion="hapy"), "1 are neither:\n  'hapy' \\(1 rows, first line 3\\). Did you mean 'happy'"),
        (changed(start=2.0, end=1.0), "line 3: start and end are seconds, 0 <= start < end; found 2.0 and 1.0"),
        (changed(start=-1), "start and end are seconds"),
        (changed(end=0), "start and end are seconds"),
        (changed(arousal="high"), "line 3: arousal is a number; found 'high'"),
        (changed(arousal="nan"), "arousal is a number; found 'nan'"),
        (changed(arousal="2,5"), "arousal is a number; found '2,5'"),
        (changed(gender="femal"), "gender is female, male, unknown.*found 'femal'. Did you mean 'female'"),
        (changed(gender="m"), "line 3: a speaker has one gender; 'ann' is male here and female in line 2"),
        (changed(language="English"), "line 3: language is a BCP 47 tag.*found 'English'"),
        (changed(split="trian"), "split is train, validation.*'trian' \\(1 rows\\). Did you mean 'train'"),
        ([row | {"split": "train"} for row in changed()], "split has rows in train and in test; found {'train': 20}"),
        ([row | {"fold": 1} for row in changed()], "fold has 2 to 100 values.*found 1: \\['1'\\]"),
        ([row | {"fold": row["split"]} for row in changed()], "names of splits, call the column split"),
    ],
)
def test_a_bad_table_is_refused_with_row_rule_value_and_remedy(rows, message, raw, tmp_path):
    header = [*rows[0]] if "FILE" not in rows[0] else ["file", "FILE", "emotion", "speaker"]
    with pytest.raises(SheetError, match=rf"(?s)^table.csv: .*{message}"):
        read("mine", write(tmp_path / "table.csv", rows, header), raw)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "needs the columns"),
        (b"file,emotion,speaker\r\n\r\n,,\r\n", "has no filled row"),
        (b"file,emotion,speaker\nann/0.wav,happy\n", "line 2: rows have 3 cells, as the header has; this one has 2"),
        (b"file,emotion,speaker\nann/0.wav,happy,ann,x\n", "line 2: rows have 3 cells.* has 4"),
        (b'file,emotion,speaker\nann/0.wav,"happy,ann\n', "line 2: quotes stand around whole cells"),
        ("file,emotion,speaker\nann/0.wav,fröhlich,ann\n".encode("latin-1"), "UTF-8"),
        ("file,emotion,speaker\nann/0.wav,happy,ann\n".encode("utf-16"), "UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_refused(content, message, raw, tmp_path):
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(SheetError, match=rf"^table.csv.*{message}"):
        read("mine", tmp_path / "table.csv", raw)


def test_parquet_that_is_none_or_holds_other_things_is_refused(raw, tmp_path):
    bad = tmp_path / "t.parquet"
    with pytest.raises(SheetError, match="does not exist"):
        read("mine", bad, raw)
    bad.write_text("file,emotion,speaker\n")
    with pytest.raises(SheetError, match="must be Parquet"):
        read("mine", bad, raw)
    write(bad, [{"file": [FILES[0]], "emotion": "sad", "speaker": "ann"}])
    with pytest.raises(SheetError, match="column 'file' holds text or numbers; its type is list"):
        read("mine", bad, raw)


def test_many_bad_rows_are_counted_and_the_first_ones_shown(raw, tmp_path):
    rows = [row | {"arousal": "?"} if number < 12 else row for number, row in enumerate(changed())]
    with pytest.raises(SheetError, match="12 of 20 rows cannot be used") as error:
        read("mine", write(tmp_path / "t.csv", rows), raw)
    assert str(error.value).count("arousal is a number") == 5
    assert "and 7 more" in str(error.value)


def test_the_map_gives_labels_their_nouns_and_none_for_no_label(raw, tmp_path):
    table = write(tmp_path / "t.csv", changed(emotion="Ärger") + changed(emotion="xxx", start=0.05)[1:2])
    with pytest.raises(SheetError, match=r"(?s)2 are neither:.*'Ärger' \(1 rows, first line 3\).*'xxx'"):
        read("mine", table, raw)
    nfd = unicodedata.normalize("NFD", "Ärger")
    label_map = write(tmp_path / "m.csv", [{"label": nfd, "noun": "anger"}, {"label": "xxx", "noun": ""}])
    corpus = read("mine", table, raw, label_map).CORPUS
    assert corpus.emotions["Ärger"] == "anger"
    assert corpus.emotions["xxx"] is None
    assert corpus.emotion_names() == ("anger", "happiness", "neutral", "sadness")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"label": "x", "nuon": "anger"}], "'noun' is missing. Did you mean 'nuon'"),
        (
            [{"label": "x", "noun": "angr"}],
            "line 2: noun is one of labels.csv; found 'angr'. Did you mean 'angry' or 'anger'",
        ),
        ([{"label": "x", "noun": "anger"}, {"label": "x", "noun": "fear"}], "line 3: a label has one noun; 'x' has"),
        ([{"label": word, "noun": ""} for word in WORDS], "some rows must have a label"),
    ],
)
def test_a_bad_map_is_refused(rows, message, raw, tmp_path):
    with pytest.raises(SheetError, match=message):
        read("mine", write(tmp_path / "t.csv", changed()), raw, write(tmp_path / "map.csv", rows))


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("license: mit", "two lines of '---'"),
        ("---\nlicence: mit\n---\n", "found 'licence'. Did you mean 'license'"),
        ("---\nlanguage: no\n---\n", "language is one text; found False. Put it in quotes"),
        ("---\nlanguage: deutsch\n---\n", "card.md: language is a BCP 47 tag"),
        ("---\ncitation: me 2026\n---\n", "citation is BibTeX; found 'me 2026'"),
        ("---\nlicense: [mit\n---\n", "must be YAML"),
    ],
)
def test_a_bad_card_is_refused(card, message, tmp_path):
    (tmp_path / "card.md").write_text(card)
    with pytest.raises(SheetError, match=message):
        own_card.read(tmp_path / "card.md")


def test_an_unknown_licence_is_unclear(raw, tmp_path):
    licence = read("mine", write(tmp_path / "t.csv", changed()), raw).CORPUS.licence
    assert (licence.id, licence.redistribution, licence.commercial) == ("unknown", "unclear", "unclear")


def test_a_name_that_serbench_has_or_that_is_malformed_is_refused(raw, tmp_path):
    table = write(tmp_path / "t.csv", changed())
    with pytest.raises(UnknownNameError, match="'urdu'.*serbench has one of this name"):
        read("urdu", table, raw)
    for name in ("My", "my_corpus", "1st", ""):
        with pytest.raises(UnknownNameError, match="lower-case letters and digits"):
            read(name, table, raw)


def test_a_refused_table_leaves_nothing_behind(raw, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "t.csv", changed(file="gone.wav"))
    done = CliRunner().invoke(cli.app, ["build", "mine", "--raw", str(raw), "--metadata", "t.csv"])
    assert isinstance(done.exception, SerbenchError)
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize("options", [["--metadata", "t.csv"], ["--raw", ".", "--labels", "m.csv"]])
def test_options_that_need_each_other_say_so(options):
    done = CliRunner().invoke(cli.app, ["build", "mine", *options])
    assert done.exit_code == 2
    assert "--raw and --metadata" in re.sub(r"[\s│]+", " ", done.output)


def test_paths_are_found_however_they_are_written(raw, tmp_path):
    decomposed = unicodedata.normalize("NFD", "Zoë")
    root = tmp_path / "recordings"
    root.mkdir()
    for number, name in enumerate((decomposed, "b")):
        (root / name).mkdir()
        os.link(raw / FILES[0], root / name / f"{number}.wav")
    (tmp_path / "link").symlink_to(root)
    written = ["Zoë/0.wav", f"{decomposed}\\0.wav", "./b/../Zoë/0.wav", str(root / "Zoë" / "0.wav")]
    for path in written:
        table = write(tmp_path / "t.csv", [{"file": path, "emotion": "sad", "speaker": ""}])
        (one,) = read("mine", table, tmp_path / "link").utterances
        assert (one.id, one.path, one.speaker) == ("mine-Zoë-0", f"{decomposed}/0.wav", None)


def test_missing_files_can_be_left_out_and_are_listed(raw, tmp_path, caplog):
    rows = [*changed(), {"file": "nowhere/x.wav", "emotion": "sad", "speaker": "ann"}]
    table = write(tmp_path / "t.csv", rows)
    folder = repo.build(read("mine", table, raw, skip_broken=True), raw, tmp_path / "mine", skip_broken=True)
    assert load_dataset(str(folder), split="train", cache_dir=tmp_path / "cache").num_rows == 20
    assert "- `nowhere/x.wav`" in (folder / "README.md").read_text(encoding="utf-8")
    with pytest.raises(RawTreeError, match="none of the 1 files"):
        read("mine", write(tmp_path / "t.csv", rows[-1:]), raw, skip_broken=True)
    with pytest.raises(RawTreeError, match="does not exist"):
        read("mine", table, raw / "nowhere")


def test_files_and_columns_that_are_not_read_are_told(raw, tmp_path, caplog):
    read("mine", write(tmp_path / "t.csv", without("transcript", arousal="valense")[:18]), raw)
    assert "2 audio files beside those of t.csv are not in it, first ['Zoë/3.wav', 'Zoë/4.wav']" in caplog.text
    assert "columns that are not read: 'valense'. Did you mean 'valence'" in caplog.text


def test_a_table_that_changed_after_an_interruption_is_built_anew(raw, folder, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(repo, "_describe", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        repo.build(read("mine", write(tmp_path / "t.csv", changed(emotion="sad")), raw), raw, tmp_path / "mine")
    assert len(list(tmp_path.glob(".mine.*.part/data/*.parquet"))) > 1
    assert contents(repo.build(read("mine", folder / "t.csv", raw), raw, tmp_path / "mine")) == contents(
        folder / "mine"
    )
    assert not list(tmp_path.glob(".mine.*.part"))


def test_a_table_without_known_speakers_has_no_speaker_folds(raw, tmp_path):
    table = write(tmp_path / "t.csv", [{**row, "speaker": ""} for row in without("gender")])
    module = read("mine", table, raw)
    assert module.CORPUS.config_names() == ("all", "official", "fold1", "fold2", "fold3")
    parts = listing.split(module, "fold1", listing.utterances(module, raw))
    assert listing.shared_speakers(parts) is None


def test_folds_by_name_are_told_on_the_card(raw, tmp_path):
    rows = [row | {"fold": f"Ses{number % 2 + 1:02}"} for number, row in enumerate(changed())]
    traps = read("mine", write(tmp_path / "t.csv", rows), raw).CORPUS.traps
    assert traps == tuple(
        f"fold{k}: column fold of its owner's table: Ses0{k} tests, all others train." for k in (1, 2)
    )
    assert not read("mine", write(tmp_path / "t.csv", changed()), raw).CORPUS.traps


def test_aliases_mean_one_noun_and_are_none():
    for alias, noun in labels.aliases().items():
        assert noun in labels.nouns()
        assert alias not in labels.nouns()
