from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dogclips.errors import OutputError
from dogclips.reports.pictures.training_plots import draw_plots, range_plot, write_plots
from dogclips.scores.lr_range import RangePoint
from tests.reports.predicted import RECORDS, predicted

ODD = (
    "does:$x^2$ & <b>",
    'does:"歩く" 🐕',
    "at:door",
    "does:never_{",
    "at:" + "long " * 12,
    "at:a",
)


def texts(svg: bytes) -> list[str]:
    """Return what an SVG says, line by line; that it is well-formed comes along."""
    root = ET.fromstring(svg)  # noqa: S314 (our own)
    return ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text")]


def test_every_plot_is_a_file_and_says_what_the_report_says(tmp_path: Path) -> None:
    table, report = predicted(("sit", "lie", "never"))

    paths = write_plots(tmp_path / "plots", RECORDS, table, report)

    names = ("curves", "average_precision", "precision_recall", "calibration", "confusion")
    assert paths == [tmp_path / "plots" / f"{name}.svg" for name in names]
    assert sorted((tmp_path / "plots").iterdir()) == sorted(paths)
    said = {path.stem: texts(path.read_bytes()) for path in paths}
    sit, lie, _ = report.classes
    assert f"sit ({sit.positives})" in said["average_precision"]
    assert f"{sit.average_precision:.3f}" in said["average_precision"]
    assert "no clip" in said["average_precision"]
    assert f"mean {report.mean_ap:.3f}" in said["average_precision"]
    assert f"AP {lie.average_precision:.3f}" in said["precision_recall"]
    assert not any("never" in text for text in said["precision_recall"])
    assert any(f"error {report.calibration_error:.3f}" in text for text in said["calibration"])
    assert f"{100 * (report.tasks[0].confusion[0][0] or 0):.0f}" in said["confusion"]
    assert "best epoch" in said["curves"]


def test_labels_of_any_letters_are_drawn_as_they_are_task_by_task() -> None:
    table, report = predicted(ODD, exclusive=["does"])

    plots = dict(draw_plots([], table, report))

    assert set(plots) == (
        {"average_precision", "precision_recall", "calibration", "confusion_1", "confusion_2"}
    )
    for label in ODD[:2]:
        assert label in texts(plots["confusion_1"])
        assert any(text.startswith(label) for text in texts(plots["average_precision"]))
    assert "at:door" in texts(plots["confusion_2"])
    assert any(text.endswith("…") for text in texts(plots["confusion_2"]))
    assert plots == dict(draw_plots([], table, report))


def test_thirty_classes_have_a_row_and_a_panel_each() -> None:
    labels = [f"behaviour {k}" for k in range(30)]
    table, report = predicted(labels, 200)

    plots = dict(draw_plots(RECORDS[:1], table, report))

    panels = texts(plots["precision_recall"])
    assert [text for text in panels if text.startswith("behaviour")] == labels[:-1]
    width, height = (
        float(ET.fromstring(plots["confusion"]).attrib[side].removesuffix("pt"))  # noqa: S314
        for side in ("width", "height")
    )
    assert min(width, height) / 30 > 25  # points for a cell, its share of the margins included
    assert set(labels) <= set(texts(plots["confusion"]))


def test_what_cannot_be_drawn_is_left_out_and_a_folder_in_the_way_is_an_error(
    tmp_path: Path,
) -> None:
    table, report = predicted(("never",))
    assert draw_plots([], table, report) == []
    (tmp_path / "plots").write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        write_plots(tmp_path / "plots", RECORDS, table, report)


def test_the_rates_of_a_range_test_are_written_as_numbers() -> None:
    losses = {1e-5: 9, 1e-4: 8, 1e-3: 5, 1e-2: 3, 1e-1: 2, 1.0: 7}
    points = [RangePoint(rate, loss) for rate, loss in losses.items()]

    said = texts(range_plot(points))

    assert {"0.0001", "0.001", "1", "falls fastest at 1.0e-03", "optimizer.lr"} <= set(said)
    assert not any("math" in text for text in said)
    assert range_plot(points) == range_plot(points)
