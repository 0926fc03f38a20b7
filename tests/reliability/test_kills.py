"""Every command, killed at random points and run again, ends with what one leaves that was never killed.

Half of the kills are at a write, a statement or a commit, counted by the command; half at a moment. The number of
kills is the variable KILLS (`make reliability` sets 50); where they fall is drawn by the variable SEED.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.commands import COMMANDS, Command
from tests.reliability.draws import KILLS, SEED, draws
from tests.reliability.house import House
from tests.reliability.states import State, differences, state_of
from tests.reliability.trial import Trial
from tests.reliability.zygote import GROUP, PARENT, WORKER, Done

TRIES = 50

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(7200),
    pytest.mark.reliability("killed", seed=SEED),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_a_command_that_is_killed_ends_as_one_that_was_not(
    house: House, command: Command, tmp_path: Path, record_property: Any
) -> None:
    trial = Trial(house, command, tmp_path / "work")
    trial.begin()
    whole = trial.run()
    assert whole.code == command.code, trial.out.read_text()
    wanted = state_of(trial.folder)
    again = trial.run()
    assert again.code == command.code, trial.out.read_text()
    twice = differences(wanted, state_of(trial.folder))
    assert twice == [], "a second run changed something"
    lost, rng, kills = [], draws(command.name), max(1, round(KILLS * command.share))
    for number in range(kills):
        trial.out.unlink(missing_ok=True)
        what = killed(trial, whole, wanted, rng, by_event=number % 2 == 0)
        lost += [what] if what else []
    record_property("tries", (kills, len(lost)))
    assert lost == [], f"{len(lost)} of {kills}: {lost[0]}"


def killed(trial: Trial, whole: Done, wanted: State, rng: random.Random, *, by_event: bool) -> str:
    """Kill it, and let it end; what is not as it must be, '' where nothing was lost."""
    who = rng.choice([GROUP, PARENT, *([WORKER] if trial.command.has_workers else [])])
    for _ in range(TRIES):  # it may end before its time has come
        trial.begin()
        if by_event:
            point = {"die_at": rng.randrange(1, whole.events + 1)}
        else:
            point = {"after_s": rng.uniform(0, whole.seconds)}
        done = trial.run(who=who, **point)
        if done.killed:
            break
    else:
        return f"its {who} could not be killed: {trial.out.read_text()[-1000:]}"
    wrong = [f"left running: {one}" for one in done.orphans]
    if who == WORKER and done.code != whole.code:
        wrong.append(f"with a dead worker it ended with {done.code}")
    end = trial.run()
    wrong += [f"left running: {one}" for one in end.orphans]
    if end.code != whole.code:
        wrong.append(f"it ended with {end.code}: {trial.out.read_text()[-2000:]}")
    wrong += differences(wanted, state_of(trial.folder))
    return f"{who} killed at {point}: " + "; ".join(wrong) if wrong else ""
