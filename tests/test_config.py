from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from dogclips.clips.config import CutConfig
from dogclips.config import Config, config_file, read_yaml, settings_of
from dogclips.errors import ConfigError
from dogclips.records.settings import write_settings


class Encoder(Config):
    codec: str = "h264"
    crf: int = 23


class Settings(Config):
    rate: float = Field(0.1, gt=0)
    names: tuple[str, ...] = ()
    rename: dict[str, str] = Field(default_factory=dict)
    size: int | Literal["source"] = "source"
    encoder: Encoder = Encoder()


def write(folder: Path, **texts: str) -> Path:
    """Write `name.yaml` for each text and return the last one."""
    for name, text in texts.items():
        file = folder / f"{name}.yaml"
        file.write_text(text)
    return file


def refusal(*files: Path, overrides: tuple[str, ...] = ()) -> str:
    """Return the one line with which a configuration is refused."""
    with pytest.raises(ConfigError) as caught:
        settings_of(Settings, [*files, *overrides])
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_without_a_file_the_defaults_hold() -> None:
    assert settings_of(Settings, None) == Settings()


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert settings_of(Settings, [write(tmp_path, a="# all as usual\n")]) == Settings()


def test_a_bare_name_is_a_shipped_file_and_a_path_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings_of(CutConfig, "demo").short_side == 72
    assert settings_of(CutConfig, ["demo", {"short_side": 80}]).short_side == 80
    with pytest.raises(ConfigError, match="no such config file"):
        settings_of(CutConfig, "demo.yaml")
    (tmp_path / "demo").mkdir()
    assert settings_of(CutConfig, "demo").short_side == 72


def test_what_lies_under_settings_holds_where_they_say_nothing() -> None:
    found = settings_of(Settings, {"encoder.crf": 18}, under=[{"encoder.crf": 1, "rate": 3}])
    assert (found.encoder.crf, found.rate) == (18, 3)


def test_a_file_wins_over_its_base_key_by_key(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        under="rate: 3\nencoder: {codec: hevc, crf: 30}\n",
        over="base: under.yaml\nencoder: {crf: 18}\n",
    )
    config = settings_of(Settings, [file])
    assert config.rate == 3
    assert config.encoder == Encoder(codec="hevc", crf=18)


def test_bases_may_have_bases(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        first="rate: 1\nsize: 1\nnames: [first]\n",
        second="base: first.yaml\nsize: 2\nnames: [second]\n",
        third="base: second.yaml\nnames: [third]\n",
    )
    assert settings_of(Settings, [file]) == Settings(rate=1, size=2, names=("third",))


def test_in_a_list_of_bases_the_later_one_wins(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        first="rate: 1\nsize: 1\n",
        second="rate: 2\n",
        over="base: [first.yaml, second.yaml]\n",
    )
    assert settings_of(Settings, [file]) == Settings(rate=2, size=1)


def test_two_files_may_share_a_base(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        root="rate: 1\n",
        left="base: root.yaml\nsize: 1\n",
        right="base: root.yaml\nnames: [right]\n",
        over="base: [left.yaml, right.yaml]\n",
    )
    assert settings_of(Settings, [file]) == Settings(rate=1, size=1, names=("right",))


def test_a_base_lies_relative_to_the_file_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    write(tmp_path, under="rate: 7\n")
    file = write(tmp_path / "inner", over="base: ../under.yaml\n")
    monkeypatch.chdir(tmp_path / "inner")
    assert settings_of(Settings, [file]).rate == 7


def test_of_several_files_the_later_one_wins(tmp_path: Path) -> None:
    write(tmp_path, first="rate: 1\nsize: 1\n", second="rate: 2\n")
    files = [tmp_path / "first.yaml", tmp_path / "second.yaml"]
    assert settings_of(Settings, files) == Settings(rate=2, size=1)


def test_a_list_replaces_the_list_of_its_base(tmp_path: Path) -> None:
    file = write(tmp_path, under="names: [a, b]\n", over="base: under.yaml\nnames: [c]\n")
    assert settings_of(Settings, [file]).names == ("c",)


def test_delete_drops_what_the_bases_said_there(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        under="rename: {a: b}\nencoder: {codec: hevc, crf: 30}\n",
        over="base: under.yaml\nencoder: {_delete_: true, crf: 18}\n",
    )
    config = settings_of(Settings, [file])
    assert config.encoder == Encoder(codec="h264", crf=18)
    assert config.rename == {"a": "b"}


@pytest.mark.parametrize("delete", ["false", "true"])
def test_delete_without_a_base_changes_nothing(tmp_path: Path, delete: str) -> None:
    file = write(tmp_path, a=f"encoder: {{_delete_: {delete}, crf: 18}}\n")
    assert settings_of(Settings, [file]).encoder == Encoder(crf=18)


@pytest.mark.parametrize(
    "texts",
    [{"a": "base: a.yaml\n"}, {"a": "base: b.yaml\n", "b": "base: a.yaml\n"}],
    ids=["a file that is its own base", "two files that are each other's base"],
)
def test_bases_in_a_circle_are_refused(tmp_path: Path, texts: dict[str, str]) -> None:
    assert "`base` leads back to the same file" in refusal(write(tmp_path, **texts))


def test_overrides_win_over_files_and_later_ones_over_earlier_ones(tmp_path: Path) -> None:
    file = write(tmp_path, a="rate: 3\nencoder: {codec: hevc, crf: 30}\n")
    config = settings_of(Settings, [file, "encoder.crf=18", "rate=4", "rate=5"])
    assert config == Settings(rate=5, encoder=Encoder(codec="hevc", crf=18))


def test_the_value_of_an_override_is_yaml() -> None:
    config = settings_of(Settings, ["names=[a, b]", "rename={a: b}", "rename.c=d=e"])
    assert config.names == ("a", "b")
    assert config.rename == {"a": "b", "c": "d=e"}


@pytest.mark.parametrize("text", ["1e-7", "1E-7", "1.e-7", ".1e-6", "+1e-7", "1_0e-8"])
def test_exponents_are_numbers_in_files_and_overrides(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, a=f"rate: {text}\n")
    tree = read_yaml(file)
    assert isinstance(tree["rate"], float)
    assert settings_of(Settings, [file]).rate == pytest.approx(1e-7)
    assert settings_of(Settings, [f"rate={text}"]).rate == pytest.approx(1e-7)


def test_words_with_an_e_stay_words() -> None:
    assert settings_of(Settings, ["names=[e5, 1e, e-7]"]).names == ("e5", "1e", "e-7")


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ("ratte: 3", "`ratte`", "`rate`"),
        ("encoder: {crff: 18}", "`encoder.crff`", "`encoder.crf`"),
        ("encodr: {crf: 18}", "`encodr`", "`encoder`"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_valid_one(
    tmp_path: Path, text: str, key: str, near: str
) -> None:
    file = write(tmp_path, a=text)
    line = refusal(file)
    assert f"unknown config key {key}" in line
    assert f"did you mean {near}?" in line
    assert str(file) in line


def test_an_unknown_key_that_resembles_none_is_named_alone() -> None:
    line = refusal(overrides=("zzz.yyy=1",))
    assert "unknown config key `zzz`" in line
    assert "did you mean" not in line


@pytest.mark.parametrize(
    ("override", "key", "found"),
    [
        ("rate=fast", "`rate`", "'fast'"),
        ("rate=-1", "`rate`", "-1"),
        ("encoder.crf=1.5", "`encoder.crf`", "1.5"),
        ("encoder=5", "`encoder`", "5"),
        ("names=[a, 1]", "`names.1`", "1"),
        ("rename={a: 1}", "`rename.a`", "1"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(override: str, key: str, found: str) -> None:
    line = refusal(overrides=(override,))
    assert key in line
    assert f"(found {found})" in line
    assert "--set" in line


def test_a_key_with_several_types_is_named_as_the_user_wrote_it() -> None:
    assert "`size`" in refusal(overrides=("size=big",))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "nowhere.yaml"
    assert f"no such config file ({file})" in refusal(file)


def test_a_missing_base_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, a="base: nowhere.yaml\n")
    assert str(tmp_path / "nowhere.yaml") in refusal(file)


@pytest.mark.parametrize(
    "text",
    ["- a\n- b\n", "just words\n", "42\n", "[]\n", "0\n"],
    ids=["a list", "words", "a number", "an empty list", "zero"],
)
def test_a_file_without_keys_is_refused(tmp_path: Path, text: str) -> None:
    assert "keys and values" in refusal(write(tmp_path, a=text))


@pytest.mark.parametrize(
    "text",
    ["rate: [1\n", "a: b: c\n", "rate:\n\t- 1\n", "rate: &a\n  - *b\n", "? [a]\n: 1\n"],
)
def test_bad_yaml_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, a=text)
    assert str(file) in refusal(file)


@pytest.mark.parametrize(
    "value",
    ["2024-13-45", "0x_", "._e5", "2024-01-01 25:00:00"],
    ids=["a month 13", "a hex number without digits", "an empty fraction", "an hour 25"],
)
def test_scalars_that_only_look_like_something_are_refused(tmp_path: Path, value: str) -> None:
    file = write(tmp_path, a=f"rate: {value}\n")
    assert str(file) in refusal(file)
    refusal(overrides=(f"rate={value}",))


@pytest.mark.parametrize("base", ["5", "[1]", "{a: b}"])
def test_a_base_that_is_no_file_name_is_refused(tmp_path: Path, base: str) -> None:
    assert "`base`" in refusal(write(tmp_path, a=f"base: {base}\n"))


def test_yaml_that_holds_itself_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, a="encoder: &a {encoder: *a}\n")
    assert str(file) in refusal(file)


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xff\xfe\x00\x01")
    assert str(file) in refusal(file)


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    assert str(tmp_path) in refusal(tmp_path)


@pytest.mark.parametrize("override", ["rate", "=1", " =1", "rate=[1", "rate.=1"])
def test_a_wrong_override_is_refused(override: str) -> None:
    refusal(overrides=(override,))


@settings(deadline=None, max_examples=150)
@given(st.text(st.sampled_from("abc:-[]{}&*?!|>'\"#%@ \n\t0123.e_xT<=~") | st.characters()))
def test_any_text_is_a_config_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(text.encode(errors="surrogatepass"))
    try:
        config = settings_of(Settings, [file, "rate=0.5"])
    except ConfigError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 (either end is right)
    else:
        assert config.rate == 0.5


words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=8)


@settings(deadline=None, max_examples=100)
@given(
    st.builds(
        Settings,
        rate=st.floats(1e-12, 1e12),
        names=st.lists(words | st.sampled_from(["yes", "null", "~", "12", "0x1", ""])).map(tuple),
        rename=st.dictionaries(words, words),
        size=st.integers() | st.just("source"),
        encoder=st.builds(Encoder, codec=words, crf=st.integers()),
    )
)
def test_a_written_config_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, config: Settings
) -> None:
    file = tmp_path_factory.getbasetemp() / "written.yaml"
    write_settings(config, file.parent, file.name)
    assert settings_of(Settings, [file]) == config


@pytest.mark.parametrize("name", ["1e5", "20240202", "2024-02-02", "1.5", "on"])
def test_names_that_look_like_numbers_read_back_as_names(tmp_path: Path, name: str) -> None:
    config = Settings(names=(name,), rename={name: name})
    write_settings(config, tmp_path, "a.yaml")
    assert settings_of(Settings, [tmp_path / "a.yaml"]) == config


def test_a_written_config_holds_every_setting(tmp_path: Path) -> None:
    write_settings(Settings(), tmp_path, "a.yaml")
    tree: dict[str, Any] = yaml.safe_load((tmp_path / "a.yaml").read_text())
    assert set(tree) == {"rate", "names", "rename", "size", "encoder"}
    assert tree["encoder"] == {"codec": "h264", "crf": 23}


def test_the_date_of_clip_names_may_be_written_without_quotes() -> None:
    config = settings_of(CutConfig, ["name.date=20240202"])
    assert config.name.date == "20240202"


@pytest.mark.parametrize("key", ["clip_seconds", "stride_seconds", "min_overlap_seconds"])
@pytest.mark.parametrize("value", [".inf", ".nan", "-1"])
def test_lengths_are_finite_and_positive(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=key):
        settings_of(CutConfig, [f"{key}={value}"])


def test_the_windows_of_a_config_are_exact() -> None:
    rules = CutConfig(stride_seconds=0.1, min_overlap_fraction=0.35, phase_seconds=0.3).windows

    assert (rules.clip_s, rules.stride_s, rules.phase_s) == (4, Fraction(1, 10), Fraction(3, 10))
    assert (rules.min_overlap_s, rules.min_overlap_fraction) == (1, Fraction(7, 20))
    assert (rules.of_segment, rules.either, rules.background) == (False, False, False)


@pytest.mark.parametrize(
    ("background", "ratio"), [("drop", None), ("keep", None), ("sample:0.1", Fraction(1, 10))]
)
def test_background_is_dropped_kept_or_sampled(background: str, ratio: Fraction | None) -> None:
    config = CutConfig(background=background)

    assert config.windows.background == (background != "drop")
    assert config.background_ratio == ratio


@pytest.mark.parametrize("background", ["sample", "sample:", "sample:-1", "some", "sample:1e3"])
def test_any_other_background_is_refused(background: str) -> None:
    with pytest.raises(ConfigError, match="background"):
        settings_of(CutConfig, [f"background={background}"])


# What the public API takes for settings.


class Other(Config):
    rate: float = 0.2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path, a="rate: 3\nencoder: {codec: hevc, crf: 30}\n")


def test_nothing_is_the_defaults() -> None:
    assert settings_of(Settings, None) == settings_of(Settings, []) == Settings()


def test_finished_settings_are_taken_as_they_are() -> None:
    finished = Settings(rate=7)
    assert settings_of(Settings, finished) is finished


def test_settings_of_another_kind_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="these settings are a Other, not a Settings"):
        settings_of(Settings, Other())  # type: ignore[arg-type]


def test_keys_of_a_mapping_may_be_paths_or_hold_mappings() -> None:
    given = {"encoder.crf": 18, "rate": 2, "encoder": {"codec": "hevc"}, "rename": {"a.b": "c"}}
    expected = Settings(rate=2, encoder=Encoder(codec="hevc", crf=18), rename={"a.b": "c"})
    assert settings_of(Settings, given) == expected


@pytest.mark.parametrize(
    "part",
    [{"encoder": {"_delete_": True, "crf": 18}}, "encoder={_delete_: true, crf: 18}"],
    ids=["a mapping", "a text"],
)
def test_what_came_before_can_be_dropped(file: Path, part: Any) -> None:
    assert settings_of(Settings, [file, part]).encoder == Encoder(codec="h264", crf=18)


def test_one_text_is_a_key_and_its_value_or_a_file(file: Path) -> None:
    assert settings_of(Settings, "encoder.crf=18").encoder.crf == 18
    assert settings_of(Settings, str(file)) == settings_of(Settings, file)
    assert settings_of(Settings, file).rate == 3


def test_files_texts_and_mappings_mix_and_the_later_one_wins(file: Path) -> None:
    expected = Settings(rate=5, encoder=Encoder(codec="hevc", crf=18))
    for parts in (
        [file, "rate=5", {"encoder.crf": 18}],
        (str(file), {"rate": 4, "encoder.crf": 18}, "rate=5"),
        [{"rate": 9}, "encoder.crf=9", file, {"encoder": {"crf": 18}, "rate": 5}],
    ):
        assert settings_of(Settings, parts) == expected


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"encoder.crv": 1}, "configuration"),
        (["encoder.crv=1", {"rate": 2}], "--set"),
    ],
    ids=["a mapping", "a text"],
)
def test_a_misspelt_key_of_any_form_gets_its_nearest_name(given: Any, where: str) -> None:
    with pytest.raises(ConfigError, match=r"did you mean `encoder\.crf`") as caught:
        settings_of(Settings, given)
    assert caught.value.where == where


def test_an_error_names_every_file_that_was_merged(tmp_path: Path) -> None:
    write(tmp_path, first="rate: 1\n", second="rate: fast\n")
    files = [tmp_path / "first.yaml", tmp_path / "second.yaml"]
    with pytest.raises(ConfigError) as caught:
        settings_of(Settings, files)
    assert caught.value.where == f"{files[0]}, {files[1]}"


def test_shipped_settings_are_found_by_name_wherever_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [shipped] = (Path(__file__).parents[1] / "configs").glob("*/training.yaml")
    assert config_file("training").samefile(shipped)
    assert settings_of(CutConfig, "training") == settings_of(CutConfig, [shipped]) != CutConfig()
    assert settings_of(CutConfig, ["training", "encoder.crf=1"]).encoder.crf == 1


def test_a_file_without_suffix_wins_over_a_shipped_one_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "training").write_text("encoder: {crf: 7}\n")
    assert settings_of(CutConfig, "training") == settings_of(CutConfig, {"encoder.crf": 7})


def test_a_folder_or_a_path_does_not_stand_for_a_shipped_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "training").mkdir()
    assert config_file("training").suffix == ".yaml"  # runs are folders that are called like that
    for name in ("elsewhere/training", "train*", "nothing"):
        assert config_file(name) == Path(name)
        with pytest.raises(ConfigError, match="no such config file"):
            settings_of(CutConfig, name)
