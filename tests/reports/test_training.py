from rich.console import Console

from dogclips.reports.training import (
    ClassResult,
    EpochRecord,
    TestReport,
    epoch_line,
    result_table,
)

RECORD = EpochRecord(3, 1e-4, 0.51, 0.62, 0.71, 12.3, 4.5, best=True)


def printed(table: object) -> str:
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_the_result_table_names_classes_scores_and_protocol() -> None:
    report = TestReport(
        num_clips=4,
        loss=0.5,
        mean_ap=0.75,
        mean_f1=0.5,
        classes=(
            ClassResult("sit", 2, 0.75, 0.5, 0.4, 0.66),
            ClassResult("never", 0, None, None),
        ),
        protocol="1 view x 1 crop",
    )
    text = printed(result_table(report))
    for part in ("sit", "0.750", "0.500", "0.660", "4 clips; 1 view x 1 crop"):
        assert part in text
    assert "thresholds from the validation list" in " ".join(text.split())
    assert "in no mean: never" in " ".join(text.split())


def test_epochs_are_lines_of_the_same_width() -> None:
    assert "0.710*" in epoch_line(RECORD)
    assert len(epoch_line(RECORD)) == len(epoch_line())
