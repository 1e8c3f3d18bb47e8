"""`mockbill worlds save` and `load`: a world goes through a file and is the same."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from .command import Ran, check_wrong_use, mockbill
from .conftest import START, World
from .fakes import Fake, Reply, example, replied

REFUSED = replied({"message": "It does not fit.", "error_code": "invalid_state"}, 400)
STATE: dict[str, Any] = json.loads(example("GET", "/worlds/demo/state").body)
SAVED: dict[str, Any] = {"mockbill_save": 1, "scenario": "demo", "states": [STATE]}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(folder: Path, content: Any, name: str = "saved.json") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def test_a_world_goes_through_a_file(world: World, here: Path) -> None:
    world.buy()
    world.zone("B\xfcro")
    assert world.said("worlds", "save", world.name) == f"{world.name}: saved to {world.name}.json\n"
    file = here / f"{world.name}.json"
    again = f"{world.name}-again"
    assert world.said("worlds", "load", file.name, again).startswith(
        f"{again}: scenario demo, seed 7, frozen at {START}"
    )
    assert world.said("worlds", "diff", world.name, again) == "no differences\n"
    assert world.json("worlds", "show", again)["revision"] == 2
    world.said("worlds", "save", again, "--output", "again.json")
    assert (here / "again.json").read_bytes() == file.read_bytes()
    assert sorted(path.name for path in here.iterdir()) == ["again.json", file.name]


def test_the_file_is_good_to_compare(world: World, here: Path) -> None:
    world.zone("B\xfcro")
    world.said("worlds", "save", world.name)
    text = (here / f"{world.name}.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert text == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert "B\xfcro" in text
    assert list(document) == ["mockbill_save", "scenario", "states"]
    assert [state["api"] for state in document["states"]] == ["openapp"]
    assert text == world.said("worlds", "save", world.name, "-o", "-")
    assert document == world.json("worlds", "save", world.name, "-o", "-")


def test_the_file_gives_the_world_its_name(world: World, here: Path) -> None:
    world.said("worlds", "save", world.name, "-o", "loaded-1.json")
    assert world.said("worlds", "load", "loaded-1.json").startswith("loaded-1: ")
    check_wrong_use(world.run("worlds", "load", "loaded-1.json"), "There is a world 'loaded-1' already")
    put(here, SAVED, "My World.json")
    check_wrong_use(world.run("worlds", "load", "My World.json"), "give the world a name")


def test_a_world_is_replaced(world: World, here: Path) -> None:
    world.said("worlds", "save", world.name, "-o", "start.json")
    world.buy()
    assert world.said("worlds", "load", "start.json", world.name, "--replace").startswith(
        f"{world.name}: scenario demo"
    )
    assert world.json("worlds", "show", world.name)["revision"] == 0
    assert world.call("GET", "/status").status == 200, "and goes on"
    nobody = world.run("worlds", "load", "start.json", "nobody", "--replace")
    check_wrong_use(nobody, "There is no world 'nobody'")


def test_a_saved_world_comes_from_standard_input(world: World, here: Path) -> None:
    content = world.said("worlds", "save", world.name, "-o", "-").encode()
    ran = world.run("worlds", "load", "-", f"{world.name}-piped", stdin=content)
    assert (ran.code, ran.errors) == (0, "")
    check_wrong_use(world.run("worlds", "load", "-", stdin=content), "give the world a name")


def test_what_the_journal_remembers_can_be_loaded(world: World, here: Path) -> None:
    """`export --format scenario` writes the same form as `save`."""
    before = world.said("worlds", "save", world.name, "-o", "-")
    world.buy()
    assert world.said("requests", "export", "--format", "scenario", "-o", "start.json").startswith(world.name)
    assert (here / "start.json").read_text() == before
    world.said("worlds", "load", "start.json", f"{world.name}-start")
    assert world.json("worlds", "show", f"{world.name}-start")["revision"] == 0


def test_a_scenario_that_the_mock_does_not_know_is_no_hindrance(world: World, here: Path) -> None:
    for n, scenario in enumerate(("nobody-knows", "./mine.yaml", "x" * 500, None)):
        document = json.loads(world.said("worlds", "save", world.name, "-o", "-")) | {"scenario": scenario}
        name = f"{world.name}-{n}"
        assert world.said("worlds", "load", put(here, document), name).startswith(f"{name}: scenario demo, seed 7")


@pytest.mark.parametrize(
    ("content", "complaints"),
    [
        (b"", ("is not JSON",)),
        (b"mockbill_world: 1\n", ("is not JSON",)),
        (b"\xff", ("is not JSON",)),
        (b'{"mockbill_save": 1', ("is not JSON",)),
        (b"[" * 200_000, ("not",)),
        (b'{"a":' * 100_000, ("not",)),
        (b"[]", ("is not what `mockbill worlds save` writes",)),
        ({}, ("is not what `mockbill worlds save` writes", "mockbill_save")),
        ({"mockbill_save": "1"}, ("is not what `mockbill worlds save` writes",)),
        ({"mockbill_save": True}, ("is not what `mockbill worlds save` writes",)),
        ({"mockbill_save": 2, "parts": []}, ("later mockbill", "its format is 2")),
        ({"mockbill_save": 10**30}, ("saved.json",)),
        ({"mockbill_save": 0, "states": [STATE]}, ("is not what `mockbill worlds save` writes",)),
        ({"mockbill_save": 1}, ("is not what `mockbill worlds save` writes", "states")),
        ({"mockbill_save": 1, "states": []}, ("no state",)),
        ({"mockbill_save": 1, "scenario": 5, "states": [STATE]}, ("scenario",)),
        (STATE, ("is not what `mockbill worlds save` writes",)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_saved_world(here: Path, content: Any, complaints: tuple[str, ...]) -> None:
    file = put(here, content)
    with Fake() as fake:
        check_wrong_use(World(fake, "demo").run("worlds", "load", file), file, *complaints)
        assert fake.asked == [], "nobody is bothered with it"


def test_files_that_cannot_be_read(world: World, here: Path) -> None:
    check_wrong_use(world.run("worlds", "load", "none.json"), "cannot read none.json: No such file")
    check_wrong_use(world.run("worlds", "load", "."), "cannot read .: Is a directory")


@pytest.mark.parametrize(
    ("states", "complaints"),
    [
        ([{**STATE, "api": "nope"}], ("the state of nope", "nope")),
        ([{**STATE, "domain": {}}], ("the state of openapp",)),
        ([{"mockbill_state": 1}], ("a state of no API",)),
        (["text"], ("a state of no API",)),
    ],
)
def test_a_world_that_cannot_be_filled_is_not_left_behind(
    world: World, here: Path, states: list[Any], complaints: tuple[str, ...]
) -> None:
    file = put(here, {**SAVED, "states": states}, "not-left.json")
    check_wrong_use(world.run("worlds", "load", file), *complaints, "cannot be put into not-left")
    check_wrong_use(world.run("worlds", "show", "not-left"), "There is no world 'not-left'")


def test_a_world_that_is_replaced_stays_if_it_cannot_be(world: World, here: Path) -> None:
    file = put(here, {**SAVED, "states": [{**STATE, "domain": {}}]})
    check_wrong_use(world.run("worlds", "load", file, world.name, "--replace"), "cannot be put into")
    assert world.json("worlds", "show", world.name)["name"] == world.name


def test_what_was_put_in_before_a_failure_is_told(here: Path) -> None:
    file = put(here, {**SAVED, "states": [STATE, {**STATE, "api": "other"}]}, "demo.json")
    first = example("PUT", "/worlds/demo/state")
    with Fake({"PUT /worlds/demo/state": [first, REFUSED]}) as fake:
        ran = World(fake, "demo").run("worlds", "load", file, "--replace")
    check_wrong_use(ran, "the state of other cannot be put into demo: It does not fit. What openapp knows")


def test_a_world_that_could_not_be_deleted_again_is_told(here: Path) -> None:
    queued = {"PUT /worlds/saved/state": [REFUSED], "DELETE /worlds/saved": [REFUSED]}
    with Fake(queued) as fake:
        ran = World(fake, "demo").run("worlds", "load", put(here, SAVED))
    assert (ran.code, ran.out) == (2, "")
    first, second = ran.errors.splitlines()
    assert first == "mockbill: saved was made, but not filled, and cannot be deleted again: It does not fit."
    assert second == "mockbill: the state of openapp cannot be put into saved: It does not fit."


def test_an_interruption_leaves_no_world_behind(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mock_server.commands import client

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(client.Mock, "put", interrupted)
    with Fake() as fake:
        ran = World(fake, "demo").run("worlds", "load", put(here, SAVED))
        assert ran.code not in (0, 2)
        assert [(asked.method, asked.path) for asked in fake.asked][-1] == ("DELETE", "/worlds/saved")


def test_other_apis_are_saved_too(here: Path) -> None:
    health = json.loads(example("GET", "/health").body)
    health["apis"] = [{**health["apis"][0], "name": name} for name in ("openapp", "other")]
    states = [replied({**STATE, "api": name}) for name in ("openapp", "other")]
    with Fake({"GET /health": [replied(health)], "GET /worlds/demo/state": states}) as fake:
        World(fake, "demo").said("worlds", "save", "demo")
        assert [asked.query for asked in fake.asked[-2:]] == [{"api": "openapp"}, {"api": "other"}]
    assert [state["api"] for state in json.loads((here / "demo.json").read_text())["states"]] == ["openapp", "other"]


def written(here: Path, target: str) -> Ran:
    with Fake() as fake:
        return World(fake, "demo").run("worlds", "save", "demo", "-o", target)


@pytest.mark.parametrize("target", ["no/such/folder/x.json", ".", "x" * 300])
def test_files_that_cannot_be_written(here: Path, target: str) -> None:
    check_wrong_use(written(here, target), f"cannot write {target}")
    assert list(here.iterdir()) == []


def test_a_link_without_end_cannot_be_written(here: Path) -> None:
    (here / "loop").symlink_to("loop")
    check_wrong_use(written(here, "loop"), "cannot write loop")


def test_a_failure_leaves_the_file_as_it_was(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = here / "kept.json"
    kept.write_text("before")

    def half(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    check_wrong_use(written(here, "kept.json"), "cannot write kept.json: No space left on device")
    assert kept.read_text() == "before"
    assert list(here.iterdir()) == [kept]


def test_a_file_keeps_who_may_read_it_and_a_link_stays_one(here: Path) -> None:
    secret = here / "secret.json"
    secret.touch(0o600)
    (here / "link.json").symlink_to(secret)
    assert written(here, "link.json").code == 0
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert json.loads(secret.read_text())["mockbill_save"] == 1
    assert (here / "link.json").is_symlink()


def test_a_device_stays_one(here: Path) -> None:
    check_wrong_use(written(here, "/dev/full"), "cannot write /dev/full: No space left on device")
    assert Path("/dev/full").is_char_device()
    pipe = here / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert written(here, "pipe").code == 0
    assert os.read(reader, 20).startswith(b'{\n  "mockbill_save"')
    os.close(reader)
    assert pipe.is_fifo()


def test_it_works_in_a_process_of_its_own(world: World, tmp_path: Path) -> None:
    target = tmp_path / "w.json"
    env = {"MOCKBILL_URL": world.url}
    assert mockbill("worlds", "save", world.name, "-o", str(target), env=env).code == 0
    loaded = mockbill("worlds", "load", str(target), f"{world.name}-own", env=env)
    assert (loaded.code, loaded.errors) == (0, "")


def test_a_reply_that_is_no_state_is_no_mock(here: Path) -> None:
    with Fake({"GET /worlds/demo/state": [Reply(200, b'{"mockbill_state": 1}')]}) as fake:
        assert World(fake, "demo").run("worlds", "save", "demo").code == 3
    assert list(here.iterdir()) == []
