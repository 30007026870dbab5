"""What each of two processes does in a test; in a file of its own, so that it starts quickly."""

import os
from pathlib import Path

import torch
from lightning.pytorch.strategies import DDPStrategy

from tests.training.tiny import LABELS, Batch, batch, classifier, fit, settings, weights_of

CONFIG = settings("slowfast", freeze={"blocks": 1}, evaluation={"average": "logit"})
VAL = {0: [batch(2, seed=0), batch(0)], 1: [batch(2, seed=5), batch(3, seed=5)]}


def train_one_of_two(rank: int, port: int, folder: Path) -> None:
    """Train and validate on clips of one's own, of which some are missing; leave what came out."""
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= where | {"LOCAL_RANK": str(rank), "NODE_RANK": "0", "WORLD_SIZE": "2"}
    torch.set_num_threads(1)
    module = classifier(CONFIG, LABELS)
    before = weights_of(module)
    own: list[Batch] = [batch(seed=rank), batch(2 * (1 - rank), seed=2)]
    strategy = DDPStrategy(process_group_backend="gloo")
    fit(module, own, val=VAL[rank], devices=2, strategy=strategy)
    left = {"before": before, "after": weights_of(module), "scored": module.scored}
    assert module.predictions is not None
    left["probability"] = torch.from_numpy(module.predictions.probability_NK)
    torch.save(left, folder / f"{rank}.pt")
