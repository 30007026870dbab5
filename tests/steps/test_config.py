"""What `dogclips config` prints reads back as the same, and editors can check it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator as Validator
from jsonschema import ValidationError

from dogclips.clips.config import CutConfig
from dogclips.config import Config, read_yaml, settings_of, settings_text
from dogclips.config.listing import differences
from dogclips.errors import ConfigError, UsageError
from dogclips.prediction.config import PredictConfig
from dogclips.steps.config import ConfiguredCommand, compare_settings, list_settings
from dogclips.training.config import TrainConfig

KINDS: dict[str, type[Config]] = {"cut": CutConfig, "train": TrainConfig, "predict": PredictConfig}
SHIPPED = sorted((Path(__file__).parents[2] / "configs").glob("*/*.yaml"))
CHOSEN: list[tuple[Any, list[Any]]] = [
    ("cut", []),
    ("train", []),
    ("predict", []),
    *((file.parent.name, [file]) for file in SHIPPED),
    ("cut", ["projects={'0205': {reference: 0}}", "labels.rename={sit: 'yes'}", "tasks=[does]"]),
    (
        "train",
        [
            "tiny_cpu",
            "data.augment.resized_crop={}",
            "trainer.early_stop.patience=3",
            "data.augment.mixup=0.1",
        ],
    ),
    ("predict", ["labels={sit: {threshold: 0.2}}", "low=1e-7"]),
]
IDS = [f"{command} {' '.join(map(str, given))[-40:]}" for command, given in CHOSEN]


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Validator]:
    folder = tmp_path_factory.mktemp("schemas")
    for command in ("cut", "train", "predict"):
        list_settings(command, schema=folder / f"{command}.json")
    return {file.stem: Validator(json.loads(file.read_text())) for file in folder.iterdir()}


@pytest.mark.parametrize(("command", "given"), CHOSEN, ids=IDS)
def test_what_is_printed_reads_back_as_the_same_settings(
    command: ConfiguredCommand, given: list[Any], tmp_path: Path, schemas: dict[str, Validator]
) -> None:
    listed = list_settings(command, given)
    file = tmp_path / "printed.yaml"
    file.write_text(listed.text)

    assert settings_of(KINDS[command], file) == listed.settings
    if given:
        assert listed.settings == settings_of(KINDS[command], given)
    schemas[command].validate(yaml.safe_load(listed.text))


def test_every_setting_is_printed_below_its_description() -> None:
    listed = list_settings("cut")

    tree = yaml.safe_load(listed.text)
    assert tree.keys() == CutConfig.model_fields.keys()
    above = "# Length of a clip.\n# a number above 0 [s]; default: 4\nclip_seconds: 4.0\n"
    assert above in listed.text
    facts = {fact.key: fact for fact in listed.facts}
    assert (facts["encoder.crf"].value, facts["encoder.crf"].allowed) == (23, "an integer")
    assert facts["clip_seconds"].unit == "s"


def test_a_section_that_is_not_there_is_printed_as_comments() -> None:
    text = list_settings("train", ["slowfast_tiny"]).text

    block = text[text.index("#| early_stop:") :]
    assert block.splitlines()[3] == "  #|   patience:"
    assert "early_stop: null" in text


@pytest.mark.parametrize(
    ("command", "tree"),
    [
        ("cut", {"encoder": {"crv": 1}}),
        ("cut", {"clip_seconds": -1}),
        ("train", {"model": {"name": "slowfast", "dim": 3}}),
        ("predict", {"smooth": "mean"}),
    ],
)
def test_the_schema_refuses_unknown_keys_and_wrong_values(
    command: str, tree: dict[str, Any], schemas: dict[str, Validator]
) -> None:
    with pytest.raises(ValidationError):
        schemas[command].validate(tree)


def test_the_schema_takes_files_that_hold_a_part_or_have_a_base(
    schemas: dict[str, Validator],
) -> None:
    for file in SHIPPED:
        schemas[file.parent.name].validate(read_yaml(file) | {"base": "other.yaml"})
    described = schemas["cut"].schema["properties"]["clip_seconds"]["description"]
    assert described == "Length of a clip. Unit: s."


def test_the_printed_yaml_names_the_schema_by_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")

    text = list_settings("cut", schema=tmp_path / "cut.json").text

    assert text.splitlines()[0] == "# yaml-language-server: $schema=../cut.json"
    assert (tmp_path / "cut.json").is_file()


def test_a_network_is_chosen_by_its_published_name_or_its_architecture() -> None:
    published = list_settings("train", model="slow-r50-8x8").settings
    plain = list_settings("train", ["data.size=64"], model="mvit").settings

    assert isinstance(published, TrainConfig)
    assert isinstance(plain, TrainConfig)
    assert (published.model.name, published.data.sampling.clip_len) == ("slow", 8)
    assert (plain.model.name, plain.data.size) == ("mvit", 64)
    with pytest.raises(UsageError, match="did you mean slow-r50-8x8"):
        list_settings("train", model="slow-r50")
    with pytest.raises(UsageError, match="--model"):
        list_settings("cut", model="mvit")


def test_without_a_network_one_is_shown_and_said() -> None:
    assert "No network was chosen" in list_settings("train", ["seed=1"]).text
    assert "No network was chosen" not in list_settings("train", ["model.name=x3d"]).text


def test_differences_are_named_with_both_values() -> None:
    config = settings_of(CutConfig, {"encoder.crf": 18, "tasks": ["does"], "labels.drop": ["sit"]})

    assert list(map(str, differences(config))) == [
        "labels.drop: [] -> [sit]",
        "tasks: all -> [does]",
        "encoder.crf: 23 -> 18",
    ]
    assert differences(CutConfig()) == []
    tiny = {one.key for one in differences(settings_of(TrainConfig, "slowfast_tiny"))}
    assert {"model.width", "data.sampling.clip_len", "trainer.ema"} <= tiny
    assert "model.name" not in tiny


@pytest.mark.parametrize("name", ["config.yaml", "output/config.yaml"])
def test_of_a_folder_its_own_settings_are_compared(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(settings_text(CutConfig(clip_seconds=2)))

    compared = compare_settings("cut", tmp_path)

    assert list(map(str, compared.differences)) == ["clip_seconds: 4 -> 2.0"]
    assert compared.file == tmp_path / name


def test_a_folder_without_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no config\.yaml in this folder"):
        compare_settings("cut", tmp_path)
