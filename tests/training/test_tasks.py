import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogclips.errors import ConfigError
from dogclips.records.training_run import Task
from dogclips.training.losses import tasks_of_labels

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)
TASKS = st.text("abc ", min_size=1, max_size=3)


def test_labels_of_one_task_need_not_stand_side_by_side() -> None:
    tasks = tasks_of_labels(["does:sit", "at:door", "does:walk"], ["at"])
    assert tasks == (Task("does", (0, 2), exclusive=False), Task("at", (1,), exclusive=True))


def test_a_label_may_hold_further_colons() -> None:
    assert tasks_of_labels(["time:10:30", "time:11:00"], exclusive=True)[0].name == "time"


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(["sit", "walk"], id="no colon"),
        pytest.param(["sit", "does:walk"], id="a colon in some"),
        pytest.param([":sit", "does:walk"], id="nothing before it"),
        pytest.param(["does:", "does:walk"], id="nothing behind it"),
    ],
)
def test_without_a_task_before_each_label_all_are_one(labels: list[str]) -> None:
    assert tasks_of_labels(labels, exclusive=True) == (Task("", (0, 1), exclusive=True),)


@given(st.lists(st.tuples(TASKS, NAMES), min_size=1, unique=True))
def test_every_class_belongs_to_one_task_and_tasks_come_as_first_seen(
    pairs: list[tuple[str, str]],
) -> None:
    tasks = tasks_of_labels([f"{task}:{label}" for task, label in pairs], exclusive=False)
    assert sorted(k for task in tasks for k in task.classes) == list(range(len(pairs)))
    assert [task.name for task in tasks] == list(dict.fromkeys(task for task, _ in pairs))
    assert all(pairs[k][0] == task.name for task in tasks for k in task.classes)


def test_a_task_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"no task 'where' \(loss\.tasks\): tasks: at, does"):
        tasks_of_labels(["does:sit", "at:door"], ["where"])
    with pytest.raises(ConfigError, match=r"labels\.txt has no `task:label`"):
        tasks_of_labels(["sit", "walk"], ["does"])
