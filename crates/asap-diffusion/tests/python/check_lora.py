"""Loads exported adapters with diffusers and compares with the same matrices set by PEFT alone.

usage: check_lora.py CASE:FILE ...

CASE is `flux` or `sdxl`: the tiny network of `tests/golden/lora_files.py` with all its layers adapted. `flux-deltas`
is a file with the true width of FLUX whose products are compared without a network. Prints a line per case; exits 1
where one is further away than 1e-5.
"""

import inspect
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))

import torch
from diffusers import FluxPipeline, StableDiffusionXLPipeline
from diffusers.loaders import lora_conversion_utils, lora_pipeline
from formula import values
from lora_files import ALPHA, RANK, adapted, flux, layers, pair, sdxl

TOLERANCE = 1e-5


def run_flux(model):
    ids = torch.tensor([[0.0, row, column] for row in range(2) for column in range(3)])
    return model(
        hidden_states=values("hidden", (1, 6, 4)),
        encoder_hidden_states=values("text", (1, 5, 12)),
        pooled_projections=values("pooled", (1, 10)),
        timestep=torch.tensor([0.7]),
        guidance=torch.tensor([3.5]),
        img_ids=ids,
        txt_ids=torch.zeros(5, 3),
        return_dict=False,
    )[0]


def run_sdxl(model):
    added = {"text_embeds": values("pooled", (1, 10)), "time_ids": torch.tensor([[64.0, 48.0, 0.0, 0.0, 64.0, 48.0]])}
    return model(
        values("latents", (1, 4, 8, 8)),
        torch.tensor([400]),
        values("text", (1, 5, 12)),
        added_cond_kwargs=added,
        return_dict=False,
    )[0]


def pipeline(cls, **parts):
    """A pipeline of the given parts and nothing else."""
    options = ("self", "force_zeros_for_empty_prompt", "add_watermarker")
    names = inspect.signature(cls.__init__).parameters
    return cls(**{name: parts.get(name) for name in names if name not in options})


def allow_width(width):
    """diffusers' reader of fused layers knows the true width of FLUX alone; it gets the tiny one."""
    name = "_convert_kohya_flux_lora_to_diffusers"
    source = inspect.getsource(getattr(lora_conversion_utils, name))
    true_sizes = "[3072, 3072, 3072, 12288]"
    assert true_sizes in source, "diffusers has changed: the sizes of `linear1` stand elsewhere"
    space = dict(vars(lora_conversion_utils))
    exec(source.replace(true_sizes, f"[{width}, {width}, {width}, {4 * width}]"), space)
    setattr(lora_pipeline, name, space[name])
    return lambda: setattr(lora_pipeline, name, getattr(lora_conversion_utils, name))


def relative(got, expected):
    return ((got - expected).abs().max() / expected.abs().max()).item()


def check_flux(path):
    restore = allow_width(16)
    model = flux()
    base = run_flux(model)
    pipeline(FluxPipeline, transformer=model).load_lora_weights(path, adapter_name="default")
    restore()
    return compare(model, adapted(flux(), layers(flux())), run_flux, base)


def check_sdxl(path):
    model = sdxl()
    base = run_sdxl(model)
    pipeline(StableDiffusionXLPipeline, unet=model).load_lora_weights(path, adapter_name="default")
    return compare(model, adapted(sdxl(), layers(sdxl())), run_sdxl, base)


def compare(got, expected, run, base):
    """The largest relative difference, of the outputs and of every layer's product."""
    output = run(expected)
    assert relative(base, output) > 0.01, "the adapter changes nothing, so it shows nothing"
    errors = [relative(run(got), output)]
    for path, module in expected.named_modules():
        if hasattr(module, "lora_A"):
            products = (net.get_submodule(path).get_delta_weight("default") for net in (got, expected))
            errors.append(relative(*products))
    return max(errors)


def check_flux_deltas(path):
    state = FluxPipeline.lora_state_dict(path)
    block = "single_transformer_blocks.0"
    sizes = {"attn.to_q": 3072, "attn.to_k": 3072, "attn.to_v": 3072, "proj_mlp": 12288}
    worst = 0.0
    for word, n_out in sizes.items():
        down, up = (state[f"transformer.{block}.{word}.lora_{letter}.weight"] for letter in "AB")
        expected_down, expected_up = pair(f"{block}.{word}", (RANK, 3072, n_out))
        expected = expected_up.double() @ expected_down.double() * (ALPHA / RANK)
        worst = max(worst, relative(up.double() @ down.double(), expected))
    return worst


CHECKS = {"flux": check_flux, "sdxl": check_sdxl, "flux-deltas": check_flux_deltas}


def main():
    torch.set_num_threads(1)
    failed = False
    with torch.no_grad():
        for argument in sys.argv[1:]:
            case, path = argument.split(":", 1)
            error = CHECKS[case](path)
            print(f"{case} {pathlib.Path(path).name}: {error:.2e} apart")
            failed |= not error <= TOLERANCE
    sys.exit(failed)


if __name__ == "__main__":
    main()
