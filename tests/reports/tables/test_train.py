from dataclasses import replace

import pytest
from rich.console import Console

from dogclips.records.training_run import ClassResult, EpochRecord, TaskResult, TestReport
from dogclips.reports.tables.train import epoch_line, result_table

RECORD = EpochRecord(3, 1e-4, 0.51, 0.62, 0.71, 12.3, 4.5, best=True)
SIT = ClassResult("sit", 2, 0.75, 0.5, 0.4, 0.66, 0.6, 0.73, 0.81, 0.11, 0.07)
NEVER = ClassResult("never", 0, None, None)
REPORT = TestReport(
    num_clips=4,
    loss=0.5,
    mean_ap=0.75,
    mean_f1=0.5,
    micro_ap=0.72,
    weighted_ap=0.74,
    calibration_error=0.09,
    classes=(SIT, NEVER),
    protocol="1 view x 1 crop",
)


def printed(table: object, width: int = 120) -> str:
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def row_of(name: str, text: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def test_the_result_table_names_classes_scores_and_protocol() -> None:
    text = printed(result_table(REPORT))
    assert row_of("sit", text) == (
        ["sit", "2", "0.750", "0.810", "0.500", "0.400", "0.600", "0.730", "0.660", "0.070"]
    )
    assert row_of("never", text) == ["never", "0", *["-"] * 8]
    assert row_of("mean", text)[:2] == ["mean", "0.750"]
    assert row_of("weighted", text) == ["weighted", "0.740"]
    assert row_of("micro", text) == ["micro", "0.720", "0.090"]
    assert "4 clips; 1 view x 1 crop" in text
    assert "thresholds from the validation list" in " ".join(text.split())
    assert "not in the means: never" in " ".join(text.split())


@pytest.mark.parametrize("width", [80, 100])
def test_long_labels_are_folded_and_numbers_stay_whole(width: int) -> None:
    label = "does:carries a [bold]very[/bold] long stick and runs away with it " * 2
    report = replace(REPORT, classes=(replace(SIT, label=label), NEVER))
    lines = printed(result_table(report), width).splitlines()
    assert max(map(len, lines)) <= width
    assert sum("0.810" in line and "0.070" in line for line in lines) == 1
    shown = "".join(line[: width - 60] for line in lines).replace(" ", "")
    assert "[bold]very[/bold]" in shown


def test_several_tasks_get_a_row_each_and_one_without_a_name_gets_none() -> None:
    at = TaskResult(
        name="at", exclusive=False, classes=(0,), confusion=((1.0,),), mean_ap=0.5, mean_f1=0.4
    )
    does = replace(
        at, name="does", exclusive=True, classes=(1,), top1=0.61, mean_class_accuracy=0.57
    )
    text = printed(result_table(replace(REPORT, tasks=(at, does))))
    assert row_of("does", text) == ["does", "1", "0.500", "-", "-", "-", "0.610", "-", "0.570"]
    assert row_of("at", text)[-3:] == ["-", "-", "-"]
    assert "top-1" not in printed(result_table(replace(REPORT, tasks=(replace(at, name=""),))))


def test_epochs_are_lines_of_the_same_width() -> None:
    assert "0.710*" in epoch_line(RECORD)
    assert len(epoch_line(RECORD)) == len(epoch_line())
