"""Tables and pictures of the page of a report."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_cards.heat_map import heat_map
from model_cards.report_page import Matrix
from model_cards.report_pictures import COLORS, draw_layers, shade
from model_cards.table import Table


def luminance(color: str) -> float:
    """Return the relative luminance of a color (WCAG 2.1)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@given(st.floats(0, 1))
def test_dark_text_can_be_read_on_every_cell(share: float):
    assert (luminance(shade(share)) + 0.05) / (luminance("#1c1c1c") + 0.05) >= 7


@pytest.mark.parametrize("color", COLORS)
def test_curves_stand_out_from_white(color: str):
    assert 1.05 / (luminance(color) + 0.05) >= 4.5


@given(st.floats(-20, 120))
def test_numbers_can_be_read_on_every_cell_of_a_heat_map(value: float):
    drawn = heat_map(["a"], ["b"], [[value]], title="t")
    ground, ink = re.findall(r'fill="(#[0-9a-f]+)"', drawn)
    ink = "#" + 2 * ink[1:] if len(ink) == 4 else ink
    light, dark = sorted((luminance(ground), luminance(ink)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_columns_of_numbers_are_told_from_words():
    shown = Table(
        title="t",
        header=list("abcd"),
        rows=[["x", "1.5 *", "-", ""], ["2", "-3.0 to 4", "+1.2", ""], ["", "-", "", ""]],
    )
    assert shown.numeric == [False, True, True, False]


def test_text_lines_up():
    shown = Table(title="t", header=["name", "value"], rows=[["a", "1.0"], ["long name", "-10.5"]], notes=["said"])
    title, head, rule, first, second, note = shown.text().splitlines()
    assert (title, note) == ("t", "said")
    assert len(rule) == len(head) == len(first) == len(second)
    assert first.endswith("  1.0") and second.endswith("-10.5")


def test_recall_of_a_class_without_references_is_no_number():
    matrix = Matrix(title="t", classes=["a", "b"], counts=[[3, 1], [0, 0]])
    assert [recall for _, _, recall in matrix.rows] == ["75.0", "-"]
    assert matrix.rows[0][1][0] == (3, shade(0.75))


@given(
    st.dictionaries(
        st.text("ab<&", min_size=1, max_size=3),
        st.lists(
            st.tuples(st.integers(0, 48), st.floats(0, 100)), min_size=1, max_size=9, unique_by=lambda one: one[0]
        ),
        min_size=1,
        max_size=len(COLORS),
    )
)
def test_points_lie_within_the_picture(curves: dict[str, list[tuple[int, float]]]):
    drawn = str(draw_layers(curves, "UA, %"))
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', drawn).groups())
    points = [tuple(map(float, one)) for one in re.findall(r'<circle cx="([-\d.]+)" cy="([-\d.]+)"', drawn)]
    assert len(points) == sum(map(len, curves.values()))
    assert all(0 < x < width and 0 < y < height for x, y in points)


def test_a_higher_score_is_drawn_higher_and_a_later_layer_further_right():
    drawn = str(draw_layers({"mine": [(0, 40.0), (6, 70.0), (12, 55.0)]}, "UA, %"))
    (points,) = re.findall(r'<polyline points="([^"]+)"', drawn)
    (x0, y0), (x6, y6), (x12, y12) = (map(float, one.split(",")) for one in points.split())
    assert x0 < x6 < x12
    assert y6 < y12 < y0
    assert "highest 70.0, layer 6" in drawn
