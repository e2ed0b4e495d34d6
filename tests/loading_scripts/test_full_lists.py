"""EmoBox's complete lists; slow, and only where the lists are at hand: pytest -m slow tests/loading_scripts."""

import csv
import gzip
import json
import shutil
from collections import Counter, defaultdict
from itertools import product

import pytest
import yaml
from conftest import SHARED
from test_corpora import EMOBOX, MOST_ATOMS, check_against_emobox

from loading_scripts import listing, raw, registry, rows
from loading_scripts.errors import RawTreeError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SHARED / "emobox").is_dir(), reason="EmoBox's full lists are not beside the repository"),
]

# protocol-serab.md, section 1 and strict lists: utterances in train, validation, test.
SERAB = {
    "aesdd": (298, 99, 207),
    "cafe": (546, 156, 234),
    "cremad": (5144, 738, 1556),
    "emodb": (344, 107, 84),
    "emovo": (294, 98, 196),
    "iemocap": (3413, 996, 1122),
    "ravdess": (840, 300, 300),
    "savee": (240, 120, 120),
    "shemo": (1964, 522, 352),  # of the 2,838 that EmoBox lists; 2070, 558 and 372 of all 3,000
}
SERAB_STRICT = SERAB | {"iemocap": (3259, 1031, 1241), "shemo": (1605, 531, 702)}

# Where EmoBox's list is not the whole corpus: lines of the list, utterances in the trees that are planted here.
PLANTED = {
    "iemocap": (5531, 5531 + 2 * 151),  # all codes are made up there, and two more turns in each of 151 dialogs
    "emovdb": (6887, 6893),
    "enterface": (1263, 1293),
    "msppodcast": (23126, 23151),  # 25 turns of Train and Test2 are made up
    "shemo": (2838, 2838),
}


def emobox(corpus: str) -> list[dict[str, str]]:
    with gzip.open(SHARED / "emobox" / f"{corpus}.csv.gz", "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module", params=EMOBOX)
def full(request, tones, tmp_path_factory):
    """Return the module, EmoBox's lines and the utterances of a corpus planted in full."""
    corpus = request.param
    module = registry.load(corpus)
    lines = [line | {"id": line["key"], "path": line["path"].split("/", 1)[1]} for line in emobox(corpus)]
    folder = tmp_path_factory.mktemp("full")
    yield module, lines, check_against_emobox(corpus, lines, tones, folder)
    shutil.rmtree(folder)  # a file system allows no more than 65,000 links to one tone


def test_ids_labels_speakers_and_folds_are_those_of_the_list(full):
    module, lines, found = full
    whole = module.CORPUS.utterances
    assert (len(lines), len(found)) == PLANTED.get(module.CORPUS.id, (whole, whole))


def test_classes_are_those_of_emobox(full):
    module, lines, found = full
    corpus = module.CORPUS
    classes = json.loads((SHARED / "emobox" / "label_maps.json").read_text())[corpus.id]
    classes |= {"neutral": "Neutral"} if corpus.id == "emodb" else {}  # which EmoBox's map of EmoDB forgets
    native = {one.id: one.native for one in found}
    for line in lines:
        raw = line["emotion"] or native[line["id"]]
        emotion = rows.labels(corpus, native[line["id"]])["emotion"]
        assert corpus.emotion_names()[emotion] == classes[raw]


def test_atoms_stay_few(full, record_property):
    module, _, found = full
    atoms = len(listing.atoms(module.CORPUS, found))
    record_property("atoms", atoms)
    print(f"{module.CORPUS.id}: {atoms} atoms")
    assert atoms <= MOST_ATOMS


def sizes(module, config, found) -> tuple[int, ...]:
    return tuple(map(len, listing.split(module, config, found).values()))


def test_sizes_of_serab(full):
    module, _, found = full
    corpus = module.CORPUS.id
    if corpus not in SERAB:
        assert "serab" not in module.CORPUS.partitions
        return
    assert sizes(module, "serab", found) == SERAB[corpus]
    assert sizes(module, "serab_strict", found) == SERAB_STRICT[corpus]
    shared = {
        config: listing.shared_speakers(listing.split(module, config, found)) for config in ("serab", "serab_strict")
    }
    assert shared == {"serab": float(corpus in ("iemocap", "shemo")), "serab_strict": 0.0}


def test_the_balanced_sets_are_those_of_track2(full):
    module, _, found = full
    corpus = module.CORPUS
    listed = [line for line in emobox("track2") if line["corpus"] == corpus.id]
    if not listed:
        assert "balanced" not in corpus.partitions
        return
    test = listing.split(module, "balanced", found)["test"]
    assert {one.id: one.speaker for one in test} == {line["key"]: line["speaker"] for line in listed}
    if corpus.id != "iemocap":
        assert set(Counter(one.native for one in test).values()) == {60}


def test_generalize_tests_the_longest_speaker_of_the_list(full):
    module, lines, found = full
    corpus = module.CORPUS
    if "generalize" not in corpus.partitions:
        return
    speaker_of = {one.id: one.speaker for one in found}
    taken = {one.id for part in listing.split(module, "generalize", found).values() for one in part}
    seconds = defaultdict(float)
    for line in lines:
        if line["id"] in taken:
            seconds[speaker_of[line["id"]]] += float(line["length"])
    longest = max(seconds, key=seconds.get)
    assert corpus.partitions["generalize"].speakers == {longest}
    assert f"{seconds[longest]:.1f} s" in corpus.partitions["generalize"].rule
    assert seconds[longest] > 1.1 * min(seconds.values()) or corpus.id == "tess"  # drawn, as its two are alike


def test_groups_of_speakers_hold_every_class_alike(full):
    module, _, found = full
    parts = {
        name: listing.split(module, name, found) for name in module.CORPUS.partitions if name.startswith("speaker")
    }
    tested = Counter(one.id for part in parts.values() for one in part["test"])
    assert not parts or tested == Counter(one.id for one in found)
    for part in parts.values():
        assert all(part.values())
        assert listing.shared_speakers(part) == 0
    if module.CORPUS.id in {"cremad", "esd", "ravdess"}:  # speakers who say about the same: a fifth of each class
        total = Counter(one.native for one in found)
        for part in parts.values():
            test = Counter(one.native for one in part["test"])
            assert all(abs(test[native] / count - 0.2) < 0.04 for native, count in total.items()), test


def test_shares_of_the_hashed_splits(full):
    module, _, found = full
    for config, share in (("serevals", 0.2), ("emosetpp", 0.1)):
        if config in module.CORPUS.partitions:
            parts = listing.split(module, config, found)
            taken = sum(map(len, parts.values()))
            print(module.CORPUS.id, config, {name: round(len(part) / taken, 3) for name, part in parts.items()})
            assert config != "serevals" or abs(len(parts["test"]) / taken - share) < 0.06
            assert all(parts.values())


def test_atoms_of_the_demo_stay_few(tones, tmp_path):
    demo = registry.load("demo")
    names = product(demo.VOICES, demo.MANNERS, demo.SENTENCES, demo.TAKES)
    root = tones(tmp_path, [f"{speaker}/{'_'.join([speaker, *rest])}.wav" for speaker, *rest in names])
    found = listing.utterances(demo, root)
    assert len(found) == demo.CORPUS.utterances
    assert len(listing.atoms(demo.CORPUS, found)) <= len(demo.CORPUS.speakers)


@pytest.mark.parametrize("corpus", ["cremad", "emodb", "esd", "ravdess", "savee", "turevdb", "urdu"])
def test_the_examples_of_the_sheet(corpus, tones, tmp_path):
    """Each example of a sheet whose labels stand in the names, alone in a tree."""
    module = registry.load(corpus)
    sheet = yaml.safe_load((SHARED / "corpora" / f"{corpus}.yaml").read_text(encoding="utf-8"))
    for number, example in enumerate(sheet["examples"]):
        root = tones(tmp_path / str(number) / "root", [example["path"]])
        try:
            found = list(module.find(raw.locate(module, root)))
        except RawTreeError:
            assert example.get("ignored") or example.get("rejected"), example
            continue
        (one,) = found
        assert module.CORPUS.emotions[one.native] == example["emotion"], example
        for name in {"speaker", "gender", "language"} & example.keys():
            assert getattr(one, name) == example[name], example


def test_errata_name_utterances_of_the_list(full):
    module, lines, _ = full
    dropped = {one for erratum in module.CORPUS.errata for one in erratum.drop}
    unlisted = dropped - {line["id"] for line in lines}
    assert len(unlisted) == (162 if module.CORPUS.id == "shemo" else 0)  # EmoBox leaves those out as well
