"""openSMILE, functionals of ComParE 2016; Eyben et al., ACM Multimedia 2010 and Schuller et al., Interspeech 2016."""

from loading_scripts.corpus import Permission

from ..encoder import EncoderRecord

ENCODER = EncoderRecord(
    id="opensmile",
    name="openSMILE ComParE 2016",
    family="opensmile",
    checkpoint="opensmile (package)",
    width=6_373,
    layers=0,
    parameters=None,
    licence="custom",
    commercial=Permission.NO,
    licence_note="audEERING Research License (LICENSE of opensmile 2.6.0): non-commercial use, and commercial research "
    "that is published or evaluates before product development (B); no direct or indirect use of the software in a "
    "product, models and features made with it included.",
    papers=("serab",),
    rows={"serab_table3": "openSMILE"},
    trained_on="Nothing: signal processing (config ComParE_2016 of opensmile 2.6.0).",
    complete=True,
    extra="opensmile",
    traps=(
        "Clips shorter than 0.06 s have no features: they are refused, and listed as dropped.",
        "Values differ by ten orders of magnitude: scale them before a linear model.",
        "SERAB divides samples by 32,767, and the package multiplies by 32,768: its full-scale samples turn round to "
        "the other sign. Here the samples arrive as they are; clips without a full-scale sample give the same values.",
    ),
)
