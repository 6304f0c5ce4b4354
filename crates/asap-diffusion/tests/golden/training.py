"""Golden numbers of training: three updates of ASAP (Eq. 4 to 6) and of DPO (Eq. 3) on tiny FLUX and SDXL networks.

The reference is plain PyTorch: both images of a pair in one batch, PEFT's adapter switched off for the reference
errors, torch's AdamW and gradient clipping. Two pairs make a batch. The golden numbers are of double precision; how
far PyTorch's own single precision is from them stands beside them, as `apart`: a difference of two nearly equal errors,
and Adam's quotients of small numbers, make rounding visible.
"""

import diffusers
import peft
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, FluxTransformer2DModel, UNet2DConditionModel
from formula import fill, weight, write
from formula import values as formula_values
from peft import LoraConfig

ALPHA, TAU, BETA, CLIP = 10.0, 0.01, 2.0, 0.5
N_UPDATES, N_PAIRS = 3, 2
HEIGHT, WIDTH = 4, 6

FLUX = {
    "in_channels": 16,
    "num_layers": 1,
    "num_single_layers": 1,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "joint_attention_dim": 24,
    "pooled_projection_dim": 20,
    "guidance_embeds": True,
    "axes_dims_rope": [4, 6, 6],
}
FLUX_TARGETS = ["attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "ff.net.0.proj", "ff.net.2", "attn.add_q_proj"]
SDXL = {
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": [16, 32],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 1,
    "transformer_layers_per_block": [1, 1],
    "attention_head_dim": [2, 4],
    "norm_num_groups": 8,
    "cross_attention_dim": 24,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 6 * 8 + 20,
}
SDXL_TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]
TIME_IDS = [48.0, 32.0, 0.0, 3.0, 48.0, 32.0]


def pair(update, n, channels, dtype):
    name = f"{update}.{n}"

    def values(name, shape, scale=1.0):
        return formula_values(name, shape, scale).to(dtype)

    latents = torch.cat([values(f"preferred.{name}", (1, channels, HEIGHT, WIDTH), 1.5), values(f"rejected.{name}", (1, channels, HEIGHT, WIDTH), 1.5)])
    mask = (values(f"mask.{name}", (1, 1, HEIGHT, WIDTH)) + 1.0) / 2.0
    noise = values(f"noise.{name}", (1, channels, HEIGHT, WIDTH), 1.7)
    tokens = values(f"tokens.{name}", (1, 5, 24), 1.5)
    pooled = values(f"pooled.{name}", (1, 20), 1.5)
    return latents, mask, noise, tokens.expand(2, -1, -1), pooled.expand(2, -1)


def flux_errors(model, case):
    latents, mask, noise, tokens, pooled, time = case
    batch, channels, height, width = latents.shape
    noisy = (1 - time) * latents + time * noise
    packed = noisy.view(batch, channels, height // 2, 2, width // 2, 2).permute(0, 2, 4, 1, 3, 5)
    packed = packed.reshape(batch, height * width // 4, channels * 4)
    ids = torch.zeros(height // 2, width // 2, 3)
    ids[..., 1] += torch.arange(height // 2)[:, None]
    ids[..., 2] += torch.arange(width // 2)[None, :]
    out = model(
        hidden_states=packed,
        encoder_hidden_states=tokens,
        pooled_projections=pooled,
        timestep=torch.full((batch,), time, dtype=latents.dtype),
        guidance=torch.full((batch,), 3.5, dtype=latents.dtype),
        img_ids=ids.reshape(-1, 3),
        txt_ids=torch.zeros(tokens.shape[1], 3),
    ).sample
    out = out.view(batch, height // 2, width // 2, channels, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return (out.reshape(latents.shape) - (noise - latents)) ** 2, mask


def sdxl_errors(model, case):
    latents, mask, noise, tokens, pooled, time = case
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    times = torch.full((2,), int(time))
    noise = noise.expand_as(latents)
    noisy = scheduler.add_noise(latents, noise, times)
    added = {"text_embeds": pooled, "time_ids": torch.tensor([TIME_IDS, TIME_IDS])}
    out = model(noisy, times, encoder_hidden_states=tokens, added_cond_kwargs=added).sample
    return (out - noise) ** 2, mask


def localized(squared, mask):
    return ((1 + ALPHA * mask) ** 2 * squared).mean(dim=(1, 2, 3))


def loss_of(kind, policy, reference):
    delta = (reference[0] - policy[0]) + (policy[1] - reference[1])
    if kind == "bounded-local":
        return (delta - TAU) ** 2, delta
    return -F.logsigmoid(BETA * delta), delta


def train(model, shapes, targets, errors, times, kind, channels):
    dtype = model.dtype
    model.requires_grad_(False)
    model.add_adapter(LoraConfig(r=4, lora_alpha=8, target_modules=targets))
    adapter = {name: p for name, p in model.named_parameters() if "lora_" in name}
    with torch.no_grad():
        for name, parameter in adapter.items():
            name = name.replace(".default", "")
            parameter.copy_(weight(name, tuple(parameter.shape)) * 0.1)
            shapes[name] = list(parameter.shape)
    optimiser = torch.optim.AdamW(adapter.values(), lr=1e-3, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8)
    facts, tensors = [], {}
    for update in range(N_UPDATES):
        optimiser.zero_grad()
        for n in range(N_PAIRS):
            case = (*pair(update, n, channels, dtype), times[update * N_PAIRS + n])
            model.disable_adapters()
            with torch.no_grad():
                reference = localized(*errors(model, case))
            model.enable_adapters()
            squared, mask = errors(model, case)
            policy = localized(squared, mask)
            loss, delta = loss_of(kind, policy, reference)
            (loss / N_PAIRS).backward()
            facts.append({"loss": loss.item(), "delta": delta.item(), "policy": policy.tolist(), "reference": reference.tolist()})
        norm = torch.nn.utils.clip_grad_norm_(adapter.values(), CLIP)
        facts[-1]["grad_norm"] = norm.item()
        optimiser.step()
    for name, parameter in adapter.items():
        tensors[name.replace(".default", "")] = parameter
    return facts, tensors


def relative(one, two):
    return ((one - two).abs().max() / two.abs().max()).item()


def main():
    torch.set_num_threads(1)
    facts = {"diffusers": diffusers.__version__, "peft": peft.__version__, "torch": torch.__version__.split("+")[0]}
    facts |= {"alpha": ALPHA, "tau": TAU, "beta": BETA, "clip": CLIP, "time_ids": TIME_IDS, "cases": {}}
    tensors = {}
    backbones = {
        "flux": (FluxTransformer2DModel, FLUX, FLUX_TARGETS, flux_errors, [0.5, 0.125, 0.875, 0.75, 0.25, 1.0], 4),
        "sdxl": (UNet2DConditionModel, SDXL, SDXL_TARGETS, sdxl_errors, [500, 20, 999, 0, 301, 750], 4),
    }
    for name, (network, config, targets, errors, times, channels) in backbones.items():
        for kind in ("bounded-local", "dpo"):
            runs = []
            for dtype in (torch.float32, torch.float64):
                model = network(**config)
                shapes = fill(model)
                base = dict(shapes)
                runs.append(train(model.to(dtype), shapes, targets, errors, times, kind, channels))
            (single, trained_single), (steps, trained) = runs
            apart = max((relative(trained_single[key], value) for key, value in trained.items()))
            for one, two in zip(single, steps):
                for key in ("loss", "delta", "grad_norm"):
                    if key in two:
                        two[f"{key}_apart"] = abs(one[key] - two[key])
            adapter = {key: shape for key, shape in shapes.items() if key not in base}
            case = {"config": {"_class_name": network.__name__, **config}, "keys": base, "adapter": adapter}
            facts["cases"][f"{name}.{kind}"] = case | {"targets": targets, "times": times, "pairs": steps, "apart": apart}
            tensors |= {f"{name}.{kind}.{key}": value.float() for key, value in trained.items()}
    write("training", facts, tensors)


if __name__ == "__main__":
    main()
