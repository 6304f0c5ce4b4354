"""Golden numbers of SDXL's UNet, its schedules and samplers, by diffusers; gradients of adapters by PEFT.

Two tiny networks: `linear` has SDXL's layout; `conv` has transformers at the finest resolution, entered by
convolutions, two resnets per block, and one number where the other has lists.
"""

import diffusers
import torch
from diffusers import DDIMScheduler, DDPMScheduler, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
from formula import fill, values, weight, write
from peft import LoraConfig

SHARED = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 16,
    "cross_attention_dim": 24,
    "projection_class_embeddings_input_dim": 6 * 16 + 40,
}
CONFIGS = {
    "linear": {
        **SHARED,
        "block_out_channels": [16, 32, 48],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": 1,
        "transformer_layers_per_block": [0, 1, 2],
        "attention_head_dim": [2, 2, 4],
        "norm_num_groups": 8,
        "use_linear_projection": True,
    },
    "conv": {
        **SHARED,
        "block_out_channels": [32, 64],
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
        "layers_per_block": 2,
        "transformer_layers_per_block": 1,
        "attention_head_dim": 4,
        "norm_num_groups": 32,
        "use_linear_projection": False,
    },
}
SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "steps_offset": 1,
}
# What SDXL 1.0 is published with, where it differs from the defaults.
PUBLISHED = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "attention_head_dim": [5, 10, 20],
    "block_out_channels": [320, 640, 1280],
    "cross_attention_dim": 2048,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "projection_class_embeddings_input_dim": 2816,
    "transformer_layers_per_block": [1, 2, 10],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "use_linear_projection": True,
}
TIME_IDS = torch.tensor([[1023.0, 768.0, 3.0, 511.0, 1024.0, 896.0], [640.0, 2047.0, 0.0, 0.0, 512.0, 1333.0]])
TIMES = torch.tensor([17, 903])


def make(name):
    unet = UNet2DConditionModel(**CONFIGS[name]).eval()
    shapes = fill(unet)
    return unet.requires_grad_(False), shapes


def ask(unet, height, width, n_tokens):
    """The output for a batch of two, with inputs named by nothing but their role."""
    return unet(
        values("latents", (2, 4, height, width), 1.7).to(unet.dtype),
        TIMES,
        encoder_hidden_states=values("tokens", (2, n_tokens, 24), 1.5).to(unet.dtype),
        added_cond_kwargs={"text_embeds": values("pooled", (2, 40), 1.5).to(unet.dtype), "time_ids": TIME_IDS},
    ).sample


def published():
    """Names and shapes of the whole SDXL, as their number, their sum and their FNV-1a."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**PUBLISHED)
    shapes = {name: list(parameter.shape) for name, parameter in unet.named_parameters()}
    key = 0x811C9DC5
    for name in sorted(shapes):
        for byte in f"{name} {shapes[name]}\n".encode():
            key = (key ^ byte) * 0x01000193 % 2**32
    return {"n_tensors": len(shapes), "n_numbers": sum(p.numel() for p in unet.parameters()), "fnv": key}


def parts(unet):
    """Outputs of single layers and blocks of `linear`."""
    embedding, tokens = values("embedding", (2, 64)), values("tokens", (2, 7, 24), 1.5)
    x16, x48 = values("x16", (2, 16, 3, 2)), values("x48", (2, 48, 3, 2))
    cells = values("cells", (2, 6, 48))
    transformer = unet.down_blocks[2].attentions[0]
    block = transformer.transformer_blocks[1]
    down, skips = unet.down_blocks[1](x16, embedding, tokens)
    sample = values("latents", (2, 4, 3, 2))
    time = unet.time_embedding(unet.get_time_embed(sample, TIMES))
    added = {"text_embeds": values("pooled", (2, 40), 1.5), "time_ids": TIME_IDS}
    up_skips = (values("skip0", (2, 16, 3, 2)), values("skip1", (2, 32, 3, 2)))
    return {
        "embedding": time + unet.get_aug_embed(time, tokens, added),
        "resnet": unet.down_blocks[1].resnets[0](x16, embedding),
        "resnet.same": unet.mid_block.resnets[1](x48, embedding),
        "attention.self": block.attn1(cells),
        "attention.cross": block.attn2(cells, encoder_hidden_states=tokens),
        "feed_forward": block.ff(cells),
        "block": block(cells, encoder_hidden_states=tokens),
        "transformer": transformer(x48, encoder_hidden_states=tokens).sample,
        "downsampler": unet.down_blocks[0].downsamplers[0](values("odd", (2, 16, 7, 5))),
        "upsampler": unet.up_blocks[0].upsamplers[0](x48),
        "upsampler.odd": unet.up_blocks[0].upsamplers[0](x48, (5, 4)),
        "down": down,
        "down.skip": skips[0],
        "mid": unet.mid_block(x48, embedding, encoder_hidden_states=tokens),
        "up": unet.up_blocks[1](values("below", (2, 48, 3, 2)), up_skips, embedding, tokens, upsample_size=(6, 3)),
    }


def adapted():
    """Output and gradients with adapters, and the shapes of these.

    In double precision: in single, the reference's own gradients are up to 6e-6 from these.
    """
    unet, _ = make("linear")
    unet.add_adapter(LoraConfig(r=2, lora_alpha=1, target_modules=["to_k", "to_q", "to_v", "to_out.0"]))
    shapes, leaves = {}, {}
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if "lora_" in name:
                name = name.replace(".default.", ".")
                parameter.copy_(weight(name, tuple(parameter.shape)))
                shapes[name], leaves[name] = list(parameter.shape), parameter
    unet.double()
    y = ask(unet, 16, 16, 7)
    (y * values("seed", tuple(y.shape))).sum().backward()
    return shapes, {"adapted": y.float(), **{f"grad.{name}": leaf.grad.float() for name, leaf in leaves.items()}}


def original_name(name, config):
    """What the original file calls a weight of diffusers; the converter below is the judge of it."""
    words, n_places = name.split("."), config["layers_per_block"] + 1
    outer = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
    }
    stem = ".".join(words[:-1])
    if stem in outer:
        return f"{outer[stem]}.{words[-1]}"
    if words[0] == "mid_block":
        place, rest = f"middle_block.{2 * int(words[2]) if words[1] == 'resnets' else 1}", words[3:]
    else:
        block, layer, at, rest = int(words[1]), words[2], int(words[3]), words[4:]
        if words[0] == "down_blocks":
            at = n_places - 1 if layer == "downsamplers" else at
            place = f"input_blocks.{1 + block * n_places + at}"
        else:
            at = n_places - 1 if layer == "upsamplers" else at
            place = f"output_blocks.{block * n_places + at}"
        attends = config["up_block_types"][block].startswith("CrossAttn")
        place += {"resnets": ".0", "attentions": ".1", "downsamplers": ".0", "upsamplers": ".2" if attends else ".1"}[layer]
        if layer == "downsamplers":
            rest = ["op", *rest[1:]]
    resnet = {
        "norm1": "in_layers.0",
        "conv1": "in_layers.2",
        "time_emb_proj": "emb_layers.1",
        "norm2": "out_layers.0",
        "conv2": "out_layers.3",
        "conv_shortcut": "skip_connection",
    }
    if "resnets" in words:
        rest = [resnet[rest[0]], *rest[1:]]
    return ".".join([place, *rest])


def renaming(name, shapes):
    """Original names by diffusers' names: the converter passes on whatever stands under a name, here the name."""
    prefix = "model.diffusion_model."
    stored = {prefix + original_name(key, CONFIGS[name]): prefix + original_name(key, CONFIGS[name]) for key in shapes}
    renamed = convert_ldm_unet_checkpoint(stored, CONFIGS[name])
    assert set(renamed) == set(shapes) and len(stored) == len(shapes)
    return renamed


def of_original(name, renamed, shapes):
    """The output with weights that the formula makes from the original names."""
    unet, _ = make(name)
    unet.load_state_dict({key: weight(renamed[key], tuple(shape)) for key, shape in shapes.items()})
    return ask(unet, 4, 8, 7)


def tables():
    """Times, sigmas and first noise for each spacing and number of steps."""
    times = {"ddim": {}, "euler": {}, "sigmas": {}, "noise_scale": {}}
    for spacing in ("leading", "trailing", "linspace"):
        for found in times.values():
            found[spacing] = {}
        for n in (1, 7, 50):
            ddim = DDIMScheduler(**SCHEDULER, timestep_spacing=spacing)
            euler = EulerDiscreteScheduler(**SCHEDULER, timestep_spacing=spacing)
            ddim.set_timesteps(n)
            euler.set_timesteps(n)
            times["ddim"][spacing][n] = [float(time) for time in ddim.timesteps]
            times["euler"][spacing][n] = [float(time) for time in euler.timesteps]
            times["sigmas"][spacing][n] = [float(sigma) for sigma in euler.sigmas]
            times["noise_scale"][spacing][n] = [float(euler.init_noise_sigma)]
    return times


def schedule():
    ddpm = DDPMScheduler(**{key: value for key, value in SCHEDULER.items() if key != "steps_offset"})
    latents, noise = values("latents", (3, 4, 3, 2), 2.0), values("noise", (3, 4, 3, 2), 2.0)
    times = torch.tensor([0, 421, 999])
    return {
        "schedule.alphas_cumprod": ddpm.alphas_cumprod,
        "schedule.noisy": ddpm.add_noise(latents, noise, times),
        "schedule.velocity": ddpm.get_velocity(latents, noise, times),
    }


def runs(unet):
    """Ten steps of the pipeline from given noise and embeddings."""
    tensors = {}
    for sampler, kind in (("ddim", DDIMScheduler), ("euler", EulerDiscreteScheduler)):
        for spacing, prediction in (("leading", "epsilon"), ("trailing", "v_prediction"), ("linspace", "epsilon")):
            options = {"clip_sample": False, "set_alpha_to_one": False} if sampler == "ddim" else {}
            scheduler = kind(**SCHEDULER, timestep_spacing=spacing, prediction_type=prediction, **options)
            pipe = StableDiffusionXLPipeline(
                vae=None,
                text_encoder=None,
                text_encoder_2=None,
                tokenizer=None,
                tokenizer_2=None,
                unet=unet,
                scheduler=scheduler,
                add_watermarker=False,
            )
            pipe.set_progress_bar_config(disable=True)
            tensors[f"run.{sampler}.{spacing}"] = pipe(
                prompt_embeds=values("tokens", (2, 7, 24), 1.5),
                pooled_prompt_embeds=values("pooled", (2, 40), 1.5),
                negative_prompt_embeds=values("negative.tokens", (2, 7, 24), 1.5),
                negative_pooled_prompt_embeds=values("negative.pooled", (2, 40), 1.5),
                latents=values("noise", (2, 4, 8, 4), 1.7),
                height=64,
                width=32,
                original_size=(1023, 768),
                crops_coords_top_left=(3, 511),
                target_size=(1024, 896),
                guidance_scale=5.5,
                num_inference_steps=10,
                output_type="latent",
            ).images
    return tensors


def main():
    torch.set_num_threads(1)
    tensors, facts = schedule(), {"times": tables(), "configs": CONFIGS, "published": published(), "diffusers": diffusers.__version__}
    with torch.no_grad():
        for name in CONFIGS:
            unet, shapes = make(name)
            renamed = renaming(name, shapes)
            facts |= {f"{name}_keys": shapes, f"{name}_original": renamed}
            for height, width, n_tokens in ((8, 4, 7), (9, 7, 154)):
                tensors[f"{name}.{height}x{width}"] = ask(unet, height, width, n_tokens)
            tensors[f"{name}.original"] = of_original(name, renamed, shapes)
            if name == "linear":
                tensors |= {f"part.{key}": value for key, value in parts(unet).items()}
                tensors |= runs(unet)
    lora, gradients = adapted()
    write("sdxl", facts | {"lora_keys": lora, "torch": torch.__version__.split("+")[0]}, tensors | gradients)


if __name__ == "__main__":
    main()
