import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_cards.licence import (
    LADDER,
    NO_DERIVATIVES,
    SHARE_ALIKE,
    STRICTNESS,
    Source,
    hub_name,
    model_licence,
    stated,
    without_commercial_use,
)

# What the validator of the Hub accepts: its message in huggingface/huggingface_hub issue 4218 (May 2026).
ACCEPTED = (
    "apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 "
    "bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc "
    "cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 "
    "cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 "
    "cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 "
    "eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c "
    "ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa "
    "unlicense zlib pddl lgpl-lr deepfloyd-if-license fair-noncommercial-research-license llama2 llama3 llama3.1 "
    "llama3.2 llama3.3 llama4 grok2-community gemma unknown other"
)

answers = st.sampled_from(STRICTNESS)
sources = st.builds(
    Source,
    name=st.sampled_from(["A", "B", "C", "D"]),
    licence=st.sampled_from([*LADDER, *sorted(SHARE_ALIKE), *sorted(NO_DERIVATIVES), "custom", "unknown", "openrail"]),
    commercial=answers,
    redistribution=answers,
)
several = st.lists(sources | st.builds(stated, st.just("E"), st.sampled_from(LADDER)), min_size=1, max_size=5)


def test_every_name_is_one_that_the_hub_accepts():
    assert set(ACCEPTED.split()) >= {*LADDER, *SHARE_ALIKE, *NO_DERIVATIVES, "other"}


@pytest.mark.parametrize(
    ("licences", "expected", "commercial"),
    [
        (["Apache-2.0"], "apache-2.0", "yes"),
        (["MIT", "Apache-2.0"], "apache-2.0", "yes"),
        (["CC0-1.0", "CC-BY-3.0", "Apache-2.0"], "cc-by-3.0", "yes"),
        (["CC-BY-3.0", "CC-BY-4.0"], "cc-by-4.0", "yes"),
        (["CC-BY-NC-4.0", "CC-BY-4.0", "MIT"], "cc-by-nc-4.0", "no"),
        (["CC-BY-NC-SA-4.0", "Apache-2.0"], "cc-by-nc-sa-4.0", "no"),
        (["CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-4.0"], "cc-by-nc-sa-4.0", "no"),
        (["ODbL-1.0", "CC-BY-4.0"], "odbl", "yes"),
        (["ODbL-1.0", "CC-BY-NC-4.0"], "other", "no"),
        (["ODbL-1.0", "CC-BY-NC-SA-4.0"], "other", "no"),
        (["CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"], "other", "no"),
        (["GPL-2.0", "GPL-3.0"], "other", "yes"),
        (["CC-BY-ND-4.0", "MIT"], "other", "yes"),
        (["custom", "MIT"], "other", "unclear"),
        (["CC-BY-NC-4.0", "creativeml-openrail-m"], "other", "no"),
    ],
)
def test_the_strictest_licence_names_the_card(licences, expected, commercial):
    told = model_licence([stated(f"corpus {number}", licence) for number, licence in enumerate(licences)])

    assert (told.id, told.commercial) == (expected, commercial)


def test_the_reason_names_who_decided_and_the_link_leads_there():
    urdu = Source(name="URDU", licence="custom", commercial="no", homepage="https://example.org/urdu")
    meld = stated("MELD", "MIT")

    told = model_licence([meld, urdu])

    assert told.reason == (
        "no standard licence states what URDU (custom) asks for. Commercial use: URDU does not allow it. "
        "Passing on adapted copies: URDU does not say."
    )
    assert (told.name, told.link) == ("terms-of-urdu", "https://example.org/urdu")
    assert model_licence([meld]).name == model_licence([meld]).link == ""


def test_share_alike_and_non_commercial_sources_that_exclude_each_other_are_both_named():
    told = model_licence([stated("CREMA-D", "ODbL-1.0"), stated("X", "CC-BY-NC-4.0"), stated("Y", "MIT")])

    assert told.reason.startswith(
        "CREMA-D (ODbL-1.0) wants adapted copies to be free for commercial use, which X (CC-BY-NC-4.0) does not allow."
    )
    assert told.name == "terms-of-several-sources"


def test_a_licence_that_does_not_cover_the_speech_names_no_card():
    """MELD: GPL-3.0 covers the annotations; the clips are cut from a television series."""
    meld = Source(name="MELD", licence="GPL-3.0", commercial="unclear", redistribution="unclear")

    assert (model_licence([meld]).id, model_licence([meld]).commercial) == ("other", "unclear")


def test_only_what_clearly_allows_commercial_use_passes():
    yes, no, unclear = (Source(name=one, licence="custom", commercial=one) for one in ("yes", "no", "unclear"))
    against_its_licence = Source(name="bought", licence="CC-BY-NC-4.0", commercial="yes")

    assert without_commercial_use([yes, no, unclear, against_its_licence]) == [no, unclear, against_its_licence]


@pytest.mark.parametrize(
    "licence", ["llama2", "openrail", "cc", "unknown", "other", "", "mit, apache-2.0", "CC-BY-5.0"]
)
def test_licences_whose_terms_are_not_known_here_have_no_name(licence):
    assert hub_name(licence) is None
    assert model_licence([stated("a model", licence)]).id == "other"


@given(several, st.randoms())
def test_the_order_of_the_sources_does_not_matter(some, random):
    mixed = random.sample(some, len(some))

    first, second = model_licence(some), model_licence(mixed)
    assert (first.id, first.commercial, first.redistribution) == (second.id, second.commercial, second.redistribution)


@given(several, sources)
def test_another_source_never_makes_anything_milder(some, another):
    before, after = model_licence(some), model_licence([*some, another])

    for what in ("commercial", "redistribution"):
        assert STRICTNESS.index(getattr(after, what)) >= STRICTNESS.index(getattr(before, what))


@given(several)
def test_the_name_never_promises_more_than_the_sources(some):
    told = model_licence(some)

    assert told.id in ACCEPTED.split()
    if told.id != "other":
        assert told.commercial == ("no" if "nc" in told.id.split("-") else "yes")
        assert told.redistribution == "yes"
    assert (told.commercial == "yes") == (not without_commercial_use(some))
