"""The licence on the card of a model: what those of its training corpora and of its base model come to.

The strictest wins. Whether weights are a copy of the speech that they were learned from is a question of law without an
answer yet; a card that keeps to the terms of every source is right either way, and `model_licence` computes that:

1. A source whose terms no licence of the Hub's list states decides alone: terms of its own, unknown ones, licences that
   forbid adapted copies (ND), and licences that the source itself says do not cover all of it. The card says ``other``.
2. Share-alike licences want adapted copies under themselves, so one of them names the card. Two go together only as
   versions of one Creative Commons licence (whose later versions may be used; CC BY-SA 4.0, section 3(b)(1)), and one
   that allows commercial use excludes sources that do not. What does not go together is ``other``.
3. Else the most demanding licence names the card: non-commercial before attribution, attribution before notices,
   notices before public domain.

Commercial use is allowed if every source clearly allows it, whatever the name on the card. Nothing here is legal
advice.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "unclear", "no"]
"""Whether a source allows something."""

STRICTNESS: tuple[Answer, ...] = ("yes", "unclear", "no")
"""Answers from the mildest to the strictest."""

LADDER = (
    *("cc0-1.0", "pddl", "unlicense", "wtfpl"),
    *("zlib", "isc", "mit", "postgresql", "ncsa", "bsd-2-clause", "bsd-3-clause", "bsl-1.0"),
    *("cdla-permissive-2.0", "cdla-permissive-1.0", "ecl-2.0", "apache-2.0"),
    *("odc-by", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0"),
    *("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0"),
)
"""Licences that let adapted copies have stricter terms, from the least to the most demanding, by their Hub names."""

SHARE_ALIKE = frozenset(
    [
        *("cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"),
        *("odbl", "cdla-sharing-1.0", "gfdl", "gpl-2.0", "gpl-3.0", "agpl-3.0", "lgpl-2.1", "lgpl-3.0", "lgpl-lr"),
        *("mpl-2.0", "epl-1.0", "epl-2.0", "eupl-1.1", "eupl-1.2", "osl-3.0"),
    ]
)
"""Licences that want adapted copies under themselves."""

NO_DERIVATIVES = frozenset(["cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"])
"""Licences under which adapted copies may not be passed on."""

# Where the Hub's name is not SPDX's identifier in lower case. The Hub's names: the message of its validator,
# huggingface/huggingface_hub issue 4218.
_HUB_NAMES = {"odbl-1.0": "odbl", "odc-by-1.0": "odc-by", "pddl-1.0": "pddl", "lgpllr": "lgpl-lr"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """What weights were learned from, a corpus or a base model, and its terms.

    Args:
        name: name as its authors write it.
        licence: SPDX identifier or the Hub's name of it; anything else, such as ``custom``, is terms of its own.
        commercial: whether it allows commercial use.
        redistribution: whether adapted copies may be passed on.
        note: where the terms are stated and what they say.
        homepage: where it lives.
    """

    name: str
    licence: str = "unknown"
    commercial: Answer = "unclear"
    redistribution: Answer = "unclear"
    note: str = ""
    homepage: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelLicence:
    """What the licences of the sources come to.

    Args:
        id: one of the Hub's names; ``other`` where none says what the sources say.
        commercial: the strictest answer of all sources.
        redistribution: likewise.
        reason: which sources decided, and why: the rest of a sentence that begins "because", then sentences.
        name: with ``other``: a name for the terms, as the Hub wants one.
        link: with ``other``: where the terms of the source that decided are found, or "".
    """

    id: str
    commercial: Answer
    redistribution: Answer
    reason: str
    name: str = ""
    link: str = ""


def hub_name(licence: str) -> str | None:
    """Return the Hub's name of a licence whose terms are known here, None for every other.

    >>> hub_name("CC-BY-NC-SA-4.0"), hub_name("ODbL-1.0"), hub_name("GPL-3.0-or-later"), hub_name("cc by 4.0")
    ('cc-by-nc-sa-4.0', 'odbl', 'gpl-3.0', 'cc-by-4.0')
    >>> hub_name("custom")
    """
    folded = "-".join(licence.casefold().replace("_", " ").replace("-", " ").split())
    folded = folded.removesuffix("-only").removesuffix("-or-later")
    name = _HUB_NAMES.get(folded, folded)
    return name if name in (*LADDER, *SHARE_ALIKE, *NO_DERIVATIVES) else None


def stated(name: str, licence: str | None, note: str = "", homepage: str = "") -> Source:
    """Return a source of which nothing is known but what its licence is called.

    >>> told = stated("a corpus", "cc-by-nc-nd-4.0")
    >>> told.commercial, told.redistribution
    ('no', 'no')
    >>> stated("a corpus", None).commercial
    'unclear'
    """
    licence = licence or "unknown"
    commercial, redistribution = (_says(licence, what) or "unclear" for what in _FORBIDDEN_BY)
    return Source(
        name=name,
        licence=licence,
        commercial=commercial,
        redistribution=redistribution,
        note=note,
        homepage=homepage,
    )


def without_commercial_use(sources: Iterable[Source]) -> list[Source]:
    """Return the sources that do not clearly allow commercial use."""
    return [one for one in sources if _allows(one, "commercial") != "yes"]


def model_licence(sources: Sequence[Source]) -> ModelLicence:
    """Return what the licences of `sources` come to for a model that was learned from them, by the rules above.

    >>> told = model_licence([stated("RAVDESS", "CC-BY-NC-SA-4.0"), stated("HuBERT", "apache-2.0")])
    >>> told.id, told.commercial
    ('cc-by-nc-sa-4.0', 'no')
    >>> print(told.reason)
    RAVDESS wants adapted copies under it. Commercial use: RAVDESS does not allow it.
    """
    name, deciders, why = _named(sources)
    other = name == "other"
    (first, *more), links = deciders, [one.homepage for one in deciders if re.match(r"https?://\S+$", one.homepage)]
    return ModelLicence(
        id=name,
        commercial=_strictest(_allows(one, "commercial") for one in sources),
        redistribution=_strictest(_allows(one, "redistribution") for one in sources),
        reason=" ".join([f"{why}.", *_restrictions(sources)]),
        name="" if not other else "terms-of-several-sources" if more else f"terms-of-{_slug(first.name)}",
        link=links[0] if other and links else "",
    )


_FORBIDDEN_BY = {"commercial": "nc", "redistribution": "nd"}


def _says(licence: str, what: str) -> Answer | None:
    """Return whether a licence allows something, by its name; None if it is not known here."""
    name = hub_name(licence)
    return None if name is None else "no" if _FORBIDDEN_BY[what] in name.split("-") else "yes"


def _allows(source: Source, what: str) -> Answer:
    own = getattr(source, what)
    return _strictest([own, _says(source.licence, what) or own])


def _strictest(answers: Iterable[Answer]) -> Answer:
    return max(answers, key=STRICTNESS.index)


def _named(sources: Sequence[Source]) -> tuple[str, list[Source], str]:
    """Return the name for the front matter, the sources that decided, and why, as the rest of a sentence."""
    named = {one: hub_name(one.licence) for one in sources}
    apart = [one for one, name in named.items() if name in (None, *NO_DERIVATIVES) or not _covered(one)]
    if apart:
        return "other", apart, f"no standard licence states what {_list(apart)} {_verb(apart, 'asks', 'ask')} for"
    sharing = [one for one, name in named.items() if name in SHARE_ALIKE]
    if sharing:
        name = _common([named[one] for one in sharing])
        if name is None:
            return "other", sharing, f"{_list(sharing)} each want adapted copies under their own licence"
        against = without_commercial_use(sources) if _says(name, "commercial") == "yes" else []
        if against:
            why = f"{_list(sharing)} {_verb(sharing, 'wants', 'want')} adapted copies to be free for commercial use"
            return "other", sharing + against, f"{why}, which {_list(against)} {_verb(against, 'does', 'do')} not allow"
        return name, sharing, f"{_list(sharing, False)} {_verb(sharing, 'wants', 'want')} adapted copies under it"
    name = max(named.values(), key=LADDER.index)
    deciders = [one for one, its in named.items() if its == name]
    most = "" if len(set(named.values())) == 1 else ", the most demanding of its sources' licences"
    return name, deciders, f"it is the licence of {_list(deciders, False)}{most}"


def _covered(source: Source) -> bool:
    """Return whether the licence says all that the source says; it may cover the annotations and not the speech."""
    return all(_allows(source, what) == _says(source.licence, what) for what in _FORBIDDEN_BY)


def _common(names: Sequence[str]) -> str | None:
    """Return the one licence under which adapted copies satisfy all of these share-alike licences."""
    families = {re.sub(r"-[\d.]+$", "", name) for name in names}
    together = len(set(names)) == 1 or (len(families) == 1 and names[0].startswith("cc-"))
    return max(names) if together else None


def _restrictions(sources: Sequence[Source]) -> Iterable[str]:
    for what, words in (("commercial", "Commercial use"), ("redistribution", "Passing on adapted copies")):
        parts = []
        for answer, verbs in (
            ("no", ("does not allow it", "do not allow it")),
            ("unclear", ("does not say", "do not say")),
        ):
            some = [one for one in dict.fromkeys(sources) if _allows(one, what) == answer]
            if some:
                parts.append(f"{_list(some, False)} {_verb(some, *verbs)}")
        if parts:
            yield f"{words}: {'; '.join(parts)}."


def _list(sources: Sequence[Source], licences: bool = True) -> str:
    """Return names with their licences, each once."""
    names = list(dict.fromkeys(f"{one.name} ({one.licence})" if licences else one.name for one in sources))
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _verb(sources: Sequence[Source], singular: str, plural: str) -> str:
    return singular if len({one.name for one in sources}) == 1 else plural


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "its-source"
