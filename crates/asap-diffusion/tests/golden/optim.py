"""Golden numbers of the optimiser: 50 steps of AdamW with clipping in between, and the moving average of diffusers."""

import torch
from diffusers.training_utils import EMAModel
from formula import values, write

SHAPES = [(16, 24), (24, 8), (7,), (1,), (3, 5, 2)]
SETTINGS = {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": 0.05}
RATES = [0.01, 0.02, 0.005]
STEPS = 50
MAX_NORM = 12.0
EMA_DECAY = 0.8


def run(**flavour):
    leaves = [torch.nn.Parameter(values(f"leaf.{at}", shape)) for at, shape in enumerate(SHAPES)]
    optimizer = torch.optim.AdamW(
        leaves,
        betas=(SETTINGS["beta1"], SETTINGS["beta2"]),
        eps=SETTINGS["epsilon"],
        weight_decay=SETTINGS["weight_decay"],
        **flavour,
    )
    average = EMAModel(leaves, decay=EMA_DECAY)
    norms = []
    for step in range(STEPS):
        for at, leaf in enumerate(leaves):
            # The sizes grow, so that the first steps are not clipped and the last ones are.
            leaf.grad = values(f"gradient.{step}.{at}", leaf.shape, 0.25 + step / 32)
        norms.append(torch.nn.utils.clip_grad_norm_(leaves, MAX_NORM).item())
        optimizer.param_groups[0]["lr"] = RATES[step % len(RATES)]
        optimizer.step()
        average.step(leaves)
    return leaves, optimizer, average, norms


def main():
    torch.set_num_threads(1)
    leaves, optimizer, average, norms = run(fused=True)
    loop, _, _, loop_norms = run(foreach=False)
    assert norms == loop_norms and min(norms) < MAX_NORM < max(norms)
    tensors = {}
    for at, leaf in enumerate(leaves):
        tensors[f"fused.{at}"] = leaf
        tensors[f"loop.{at}"] = loop[at]
        tensors[f"exp_avg.{at}"] = optimizer.state[leaf]["exp_avg"]
        tensors[f"exp_avg_sq.{at}"] = optimizer.state[leaf]["exp_avg_sq"]
        tensors[f"average.{at}"] = average.shadow_params[at]
    facts = {
        "ema_decay": EMA_DECAY,
        "max_norm": MAX_NORM,
        "norms": norms,
        "rates": RATES,
        "settings": SETTINGS,
        "shapes": SHAPES,
        "torch": torch.__version__.split("+")[0],
    }
    write("optim", facts, tensors)


if __name__ == "__main__":
    main()
