"""Golden numbers of the autoencoder of diffusers: its layers, its outputs, its tiles, and its original names."""

import torch
from diffusers import AutoencoderKL
from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint
from formula import fill, values, weight, write

FLUX = {
    "block_out_channels": [8, 12, 16],
    "layers_per_block": 1,
    "latent_channels": 4,
    "norm_num_groups": 4,
    "sample_size": 32,
    "scaling_factor": 0.3611,
    "shift_factor": 0.1159,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
    "mid_block_add_attention": True,
}
SDXL = {
    "block_out_channels": [6, 12],
    "layers_per_block": 2,
    "latent_channels": 3,
    "norm_num_groups": 3,
    "sample_size": 16,
    "scaling_factor": 0.13025,
    "shift_factor": None,
    "use_quant_conv": True,
    "use_post_quant_conv": True,
    "mid_block_add_attention": True,
}
PLAIN = SDXL | {"block_out_channels": [8], "norm_num_groups": 2, "mid_block_add_attention": False}
CASES = {"flux": (FLUX, (2, 3, 16, 24)), "sdxl": (SDXL, (2, 3, 12, 8)), "plain": (PLAIN, (1, 3, 5, 7))}
# Sides: the last tile whole, cut, and no wider than the overlap.
TILED = {"flux": (1, 3, 48, 80), "sdxl": (2, 3, 34, 26)}


def full(config):
    n = len(config["block_out_channels"])
    kinds = {"down_block_types": ["DownEncoderBlock2D"] * n, "up_block_types": ["UpDecoderBlock2D"] * n}
    return config | kinds | {"in_channels": 3, "out_channels": 3, "act_fn": "silu"}


def normalised(z, config):
    return (z - (config["shift_factor"] or 0.0)) * config["scaling_factor"]


def outputs(model, config, case, shape, tensors):
    factor = 2 ** (len(config["block_out_channels"]) - 1)
    latent = (shape[0], config["latent_channels"], shape[2] // factor, shape[3] // factor)
    posterior = model.encode(values(f"{case}.image", shape)).latent_dist
    tensors[f"{case}.mean"] = posterior.mean
    tensors[f"{case}.std"] = posterior.std
    tensors[f"{case}.image"] = model.decode(values(f"{case}.latents", latent, 2.0)).sample
    return latent


def layers(model, tensors):
    """Layers of the FLUX configuration, each on an input of its own."""
    encoder, decoder = model.encoder, model.decoder
    tensors["layer.mid_attention"] = encoder.mid_block.attentions[0](values("x.16", (2, 16, 3, 5)))
    tensors["layer.mid_block"] = decoder.mid_block(values("x.16", (2, 16, 3, 5)))
    tensors["layer.resnet"] = encoder.mid_block.resnets[1](values("x.16", (2, 16, 3, 5)), None)
    tensors["layer.down_block"] = encoder.down_blocks[1](values("x.8", (2, 8, 6, 10)))
    tensors["layer.up_block"] = decoder.up_blocks[1](values("x.16", (2, 16, 3, 5)))


def original_name(name, n_levels):
    """The name in latent diffusion, and the sizes that attention has there."""
    words = name.split(".")
    is_attention = "attentions" in words
    if words[1] == "down_blocks":
        middle = ["block", words[4]] if words[3] == "resnets" else ["downsample"]
        words = [words[0], "down", words[2], *middle, *words[5:]]
    elif words[1] == "up_blocks":
        middle = ["block", words[4]] if words[3] == "resnets" else ["upsample"]
        words = [words[0], "up", str(n_levels - 1 - int(words[2])), *middle, *words[5:]]
    elif words[1] == "mid_block":
        which = "attn_1" if is_attention else f"block_{int(words[3]) + 1}"
        words = [words[0], "mid", which, *words[4:]]
    name = ".".join(words)
    for new, old in {
        "conv_shortcut": "nin_shortcut",
        "conv_norm_out": "norm_out",
        "group_norm": "norm",
        "to_q": "q",
        "to_k": "k",
        "to_v": "v",
        "to_out.0": "proj_out",
    }.items():
        name = name.replace(new, old)
    return name, is_attention


def original(case, prefix, tensors, facts):
    config, shape = CASES[case]
    model = AutoencoderKL(**full(config)).eval()
    stored = {}
    for name, parameter in model.named_parameters():
        old, is_attention = original_name(name, len(config["block_out_channels"]))
        size = list(parameter.shape)
        stored[prefix + old] = size + [1, 1] if is_attention and len(size) == 2 else size
    weights = {name: weight(name, tuple(size)) for name, size in stored.items()}
    model.load_state_dict(convert_ldm_vae_checkpoint(weights, full(config)))
    outputs(model, config, f"original.{case}", shape, tensors)
    facts["original"][case] = stored


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    facts, tensors = {"cases": {}, "original": {}, "torch": torch.__version__.split("+")[0]}, {}
    for case, (config, shape) in CASES.items():
        model = AutoencoderKL(**full(config)).eval()
        shapes = fill(model)
        latent = outputs(model, config, case, shape, tensors)
        posterior = model.encode(values(f"{case}.image", shape)).latent_dist
        drawn = posterior.mean + posterior.std * values(f"{case}.noise", latent, 1.7)
        tensors[f"{case}.drawn"] = normalised(drawn, config)
        z = values(f"{case}.latents", latent, 2.0) / config["scaling_factor"] + (config["shift_factor"] or 0.0)
        tensors[f"{case}.denormalised"] = z
        if case in TILED:
            model.enable_tiling()
            outputs(model, config, f"tiled.{case}", TILED[case], tensors)
            model.disable_tiling()
        if case == "flux":
            layers(model, tensors)
        facts["cases"][case] = {"config": full(config), "shape": list(shape), "latent": list(latent), "keys": shapes}
    facts["tiled"] = {case: list(shape) for case, shape in TILED.items()}
    original("flux", "", tensors, facts)
    original("sdxl", "first_stage_model.", tensors, facts)
    write("vae", facts, tensors)


if __name__ == "__main__":
    main()
