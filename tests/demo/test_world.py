from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dogclips.demo.numbers import read_number
from dogclips.demo.world import BEHAVIOURS, FRAME_RATE, make_world, render

worlds = st.builds(lambda seconds, seed: make_world(seconds, (seed,)), *[st.integers(8, 60)] * 2)


def bouts_of(world, dog):
    return [bout for bout in world.bouts if bout.dog == dog]


@settings(max_examples=25)
@given(worlds)
def test_one_dog_always_does_one_thing_for_whole_seconds(world):
    bouts = bouts_of(world, 0)
    assert bouts[0].start_s == 0
    assert bouts[-1].end_s == (world.num_frames + 1) // FRAME_RATE - 1
    assert all(one.end_s == following.start_s for one, following in pairwise(bouts))
    assert all(one.behaviour != following.behaviour for one, following in pairwise(bouts))
    assert all(1 <= bout.end_s - bout.start_s <= 3 for bout in world.bouts)
    assert {bout.behaviour for bout in world.bouts} <= set(BEHAVIOURS)


@settings(max_examples=25)
@given(worlds)
def test_the_second_dog_is_seen_exactly_while_it_visits(world):
    visiting = np.zeros(world.num_frames, bool)
    for bout in bouts_of(world, 1):
        visiting[bout.start_s * FRAME_RATE : bout.end_s * FRAME_RATE] = True
    assert (visiting == ~np.isnan(world.poses[1].heading)).all()
    assert not np.isnan(world.poses[0].heading).any()


@settings(max_examples=25)
@given(worlds)
def test_each_behaviour_moves_as_its_name_says(world):
    for bout in world.bouts:
        pose = world.poses[bout.dog]
        frames = slice(bout.start_s * FRAME_RATE, bout.end_s * FRAME_RATE)
        x_moves, y_moves = np.ptp(pose.place[frames], axis=0) > 0.05
        turns = np.ptp(np.unwrap(pose.heading[frames])) > np.pi
        assert {
            "lie": not (x_moves or y_moves or turns),
            "run": x_moves or y_moves,
            "turn": turns,
            "jump": y_moves and not x_moves and not turns,
            "shake": x_moves and not y_moves and not turns,
        }[bout.behaviour]


def test_the_same_instant_looks_alike_at_both_sizes_and_carries_its_number():
    world = make_world(8, (5,))
    large, small = render(world, 33, 256, 144), render(world, 33, 128, 72)
    assert read_number(large) == read_number(small) == 33
    halved = large.reshape(72, 2, 128, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - small)[:, 28:100].mean() < 2


def test_the_number_lies_outside_the_centre_square():
    world = make_world(8, (5,))
    for width, height in ((128, 72), (256, 144)):
        one, other = (render(world, n, width, height) for n in (8, 9))
        left = (width - height) // 2
        plate = np.flatnonzero((one == 255).all(axis=2).any(axis=0) & (one != other).any((0, 2)))
        assert 0 < plate[plate < width // 2].max() < left


@settings(max_examples=10)
@given(worlds)
def test_no_dog_is_brighter_than_a_pixel_can_be(world):
    assert max(world.coats) * world.light.max() <= 1


def test_a_hop_is_over_before_its_second_is():
    # Half a second more or less then shows a hop, or none: what the demo's wrong time costs.
    world = make_world(60, (3,))
    hops = [bout for bout in world.bouts if bout.behaviour == "jump"]
    assert hops
    for bout in hops:
        height = world.poses[bout.dog].place[bout.start_s * FRAME_RATE :, 1][:FRAME_RATE]
        assert np.ptp(height[:10]) > 0.4
        assert np.ptp(height[14:]) < 1e-9
