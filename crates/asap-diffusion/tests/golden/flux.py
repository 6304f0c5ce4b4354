"""Golden numbers of the FLUX.1 transformer, its adapters, its original file, its noise levels and its sampler.

The configurations are tiny; `dev` embeds a guidance and shifts its noise levels by size, `schnell` does neither.
"""

import inspect
import math

import diffusers
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from diffusers.loaders import single_file_utils
from diffusers.models.transformers.transformer_flux import FluxPosEmbed
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from formula import fill, values, weight, write
from peft import LoraConfig, inject_adapter_in_model

CONFIGS = {
    "dev": {
        "patch_size": 1,
        "in_channels": 16,
        "num_layers": 2,
        "num_single_layers": 2,
        "attention_head_dim": 16,
        "num_attention_heads": 2,
        "joint_attention_dim": 24,
        "pooled_projection_dim": 20,
        "guidance_embeds": True,
        "axes_dims_rope": [4, 6, 6],
    },
    "schnell": {
        "patch_size": 1,
        "in_channels": 12,
        "num_layers": 1,
        "num_single_layers": 3,
        "attention_head_dim": 12,
        "num_attention_heads": 3,
        "joint_attention_dim": 20,
        "pooled_projection_dim": 12,
        "guidance_embeds": False,
        "axes_dims_rope": [2, 4, 6],
    },
}
SCHEDULERS = {
    "dev": {
        "num_train_timesteps": 1000,
        "shift": 3.0,
        "use_dynamic_shifting": True,
        "base_shift": 0.5,
        "max_shift": 1.15,
        "base_image_seq_len": 256,
        "max_image_seq_len": 4096,
    },
    "schnell": {"num_train_timesteps": 1000, "shift": 1.0, "use_dynamic_shifting": False},
    "shifted": {"num_train_timesteps": 1000, "shift": 3.0, "use_dynamic_shifting": False},
}
# Non-square, odd numbers of tokens, a long text, one row of patches, batches of 1 to 3.
CASES = {
    "plain": {"config": "dev", "rows": 3, "cols": 5, "text": 7, "sigmas": [0.25, 0.875], "guidance": 3.5},
    # A thousandfold of these is a number of bf16, so there is no rounding on the way to the sinusoids.
    "exact": {"config": "dev", "rows": 3, "cols": 2, "text": 4, "sigmas": [0.25, 1.0], "guidance": 1.0},
    # At these the rounding shows.
    "rounded": {"config": "dev", "rows": 1, "cols": 1, "text": 1, "sigmas": [0.123, 0.8765], "guidance": 3.7},
    "tall": {"config": "dev", "rows": 4, "cols": 2, "text": 5, "sigmas": [0.001], "guidance": 1.0},
    "long": {"config": "dev", "rows": 2, "cols": 3, "text": 531, "sigmas": [1.0], "guidance": 3.5},
    "distilled": {"config": "schnell", "rows": 3, "cols": 3, "text": 6, "sigmas": [0.5, 1.0], "guidance": None},
    "row": {"config": "schnell", "rows": 1, "cols": 7, "text": 9, "sigmas": [0.75, 0.1, 0.333], "guidance": None},
}
TARGETS = [
    "attn.to_k",
    "attn.to_q",
    "attn.to_v",
    "attn.to_out.0",
    "attn.add_k_proj",
    "attn.add_q_proj",
    "attn.add_v_proj",
    "attn.to_add_out",
    "ff.net.0.proj",
    "ff.net.2",
    "ff_context.net.0.proj",
    "ff_context.net.2",
]
RANK = 2


def network(name):
    model = FluxTransformer2DModel(**CONFIGS[name]).eval()
    return model, fill(model)


def text_of(name, batch, n_text):
    config = CONFIGS[case_config(name)]
    t5 = values(f"{name}.t5", (batch, n_text, config["joint_attention_dim"]))
    pooled = values(f"{name}.pooled", (batch, config["pooled_projection_dim"]))
    return t5, pooled


def case_config(name):
    return CASES[name]["config"] if name in CASES else name


def pack(latents):
    return FluxPipeline._pack_latents(latents, *latents.shape)


def unpack(packed, rows, cols):
    return FluxPipeline._unpack_latents(packed, rows * 16, cols * 16, 8)


def inputs_of(name, kind=torch.float32):
    case = CASES[name]
    batch = len(case["sigmas"])
    channels = CONFIGS[case["config"]]["in_channels"] // 4
    latents = values(f"{name}.latents", (batch, channels, case["rows"] * 2, case["cols"] * 2), 1.5)
    t5, pooled = text_of(name, batch, case["text"])
    guidance = None if case["guidance"] is None else torch.full([batch], case["guidance"])
    return {
        "hidden_states": pack(latents).to(kind),
        "encoder_hidden_states": t5.to(kind),
        "pooled_projections": pooled.to(kind),
        "timestep": torch.tensor(case["sigmas"]),
        "guidance": guidance,
        "img_ids": FluxPipeline._prepare_latent_image_ids(batch, case["rows"], case["cols"], "cpu", kind),
        "txt_ids": torch.zeros(case["text"], 3),
    }


def velocity(model, name):
    case = CASES[name]
    return unpack(model(**inputs_of(name), return_dict=False)[0], case["rows"], case["cols"])


def modules(model, tensors):
    """The output of every module of the plain case, by forward hooks."""

    def keep(name):
        def hook(_module, _inputs, output):
            if name.startswith("transformer_blocks"):
                tensors[f"{name}.text"], tensors[f"{name}.image"] = output
            elif name.startswith("single"):
                tensors[name] = torch.cat(output, dim=1)
            else:
                tensors[name] = output

        return hook

    watched = {name: getattr(model, name) for name in ("x_embedder", "context_embedder", "norm_out", "proj_out")}
    embed = model.time_text_embed
    watched |= {
        "time_text_embed": embed,
        "timestep_embedder": embed.timestep_embedder,
        "guidance_embedder": embed.guidance_embedder,
        "text_embedder": embed.text_embedder,
    }
    for stem in ("transformer_blocks", "single_transformer_blocks"):
        watched |= {f"{stem}.{at}": block for at, block in enumerate(getattr(model, stem))}
    hooks = [module.register_forward_hook(keep(name)) for name, module in watched.items()]
    velocity(model, "plain")
    for hook in hooks:
        hook.remove()


def adapters(tensors):
    """Output and gradients of the plain case with PEFT's adapters; returns the shapes of A and B."""
    model, _ = network("dev")
    model.requires_grad_(False)
    inject_adapter_in_model(LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=TARGETS), model)
    shapes, leaves = {}, {}
    for name, parameter in model.named_parameters():
        if ".default." in name:
            plain = name.replace(".default.", ".")
            with torch.no_grad():
                parameter.copy_(weight(plain, tuple(parameter.shape)))
            shapes[plain] = list(parameter.shape)
            leaves[plain] = parameter
    output = velocity(model, "plain")
    tensors["adapted"] = output
    (output * values("seed", tuple(output.shape))).sum().backward()
    for name, leaf in leaves.items():
        tensors[f"grad.{name}"] = leaf.grad
    return shapes


def original_shapes(config):
    """Names and sizes of the file that Black Forest Labs publishes, for a configuration of diffusers."""
    dim = config["attention_head_dim"] * config["num_attention_heads"]
    shapes = {}

    def linear(name, n_in, n_out):
        shapes[f"{name}.weight"] = [n_out, n_in]
        shapes[f"{name}.bias"] = [n_out]

    def embedder(name, n_in):
        linear(f"{name}.in_layer", n_in, dim)
        linear(f"{name}.out_layer", dim, dim)

    def norms(name):
        for role in ("query_norm", "key_norm"):
            shapes[f"{name}.{role}.scale"] = [config["attention_head_dim"]]

    linear("img_in", config["in_channels"], dim)
    linear("txt_in", config["joint_attention_dim"], dim)
    embedder("time_in", 256)
    embedder("vector_in", config["pooled_projection_dim"])
    if config["guidance_embeds"]:
        embedder("guidance_in", 256)
    for at in range(config["num_layers"]):
        for side in ("img", "txt"):
            stem = f"double_blocks.{at}.{side}"
            linear(f"{stem}_mod.lin", dim, 6 * dim)
            linear(f"{stem}_attn.qkv", dim, 3 * dim)
            norms(f"{stem}_attn.norm")
            linear(f"{stem}_attn.proj", dim, dim)
            linear(f"{stem}_mlp.0", dim, 4 * dim)
            linear(f"{stem}_mlp.2", 4 * dim, dim)
    for at in range(config["num_single_layers"]):
        stem = f"single_blocks.{at}"
        linear(f"{stem}.modulation.lin", dim, 3 * dim)
        linear(f"{stem}.linear1", dim, 7 * dim)
        norms(f"{stem}.norm")
        linear(f"{stem}.linear2", 5 * dim, dim)
    linear("final_layer.linear", dim, config["in_channels"])
    linear("final_layer.adaLN_modulation.1", dim, 2 * dim)
    return shapes


def original(name, case, tensors):
    """The output with an original file's weights, renamed by diffusers' own converter."""
    config = CONFIGS[name]
    dim = config["attention_head_dim"] * config["num_attention_heads"]
    source = inspect.getsource(single_file_utils.convert_flux_transformer_checkpoint_to_diffusers)
    assert "inner_dim = 3072" in source, "the converter is written for one width"
    scope = {"torch": torch}
    exec(source.replace("inner_dim = 3072", f"inner_dim = {dim}"), scope)
    shapes = original_shapes(config)
    stored = {key: weight(key, tuple(shape)) for key, shape in shapes.items()}
    model = FluxTransformer2DModel(**config).eval()
    model.load_state_dict(scope["convert_flux_transformer_checkpoint_to_diffusers"](stored), strict=True)
    tensors[f"original.{case}"] = velocity(model, case)
    return shapes


def schedules():
    """Noise levels of the sampler for two sizes, and of training for a few draws."""
    sampler, training = [], []
    for name, n_tokens, n_steps in [
        ("dev", 4096, 28),
        ("dev", 1536, 10),
        ("dev", 15, 4),
        ("schnell", 4096, 4),
        ("shifted", 1024, 6),
    ]:
        config = SCHEDULERS[name]
        scheduler = FlowMatchEulerDiscreteScheduler(**config)
        sigmas = torch.linspace(1.0, 1 / n_steps, n_steps, dtype=torch.float64).tolist()
        scheduler.set_timesteps(sigmas=sigmas, mu=calculate_shift(n_tokens))
        levels = [float(sigma) for sigma in scheduler.sigmas]
        sampler.append({"scheduler": name, "n_tokens": n_tokens, "n_steps": n_steps, "sigmas": levels})
    for name in ("dev", "shifted"):
        scheduler = FlowMatchEulerDiscreteScheduler(**SCHEDULERS[name])
        for u in (0.0, 0.0005, 0.25, 0.5004, 0.9999):
            level = scheduler.sigmas[math.floor(u * 1000)]
            rounded = float(level.to(torch.bfloat16))
            training.append({"scheduler": name, "u": u, "sigma": float(level), "bf16": rounded})
    return {"sampler": sampler, "training": training}


def sample(name, n_steps, guidance, tensors):
    """The pipeline's own loop, from given noise and embeddings."""
    model, _ = network(name)
    scheduler = FlowMatchEulerDiscreteScheduler(**SCHEDULERS[name])
    pipeline = FluxPipeline(scheduler, None, None, None, None, None, model)
    pipeline.set_progress_bar_config(disable=True)
    rows, cols, batch, n_text = 3, 5, 2, 7
    noise = values(f"{name}.noise", (batch, CONFIGS[name]["in_channels"] // 4, rows * 2, cols * 2), 1.5)
    t5, pooled = text_of(name, batch, n_text)
    packed = pipeline(
        prompt_embeds=t5,
        pooled_prompt_embeds=pooled,
        latents=pack(noise),
        height=rows * 16,
        width=cols * 16,
        num_inference_steps=n_steps,
        guidance_scale=guidance,
        output_type="latent",
        return_dict=False,
    )[0]
    tensors[f"sampled.{name}"] = unpack(packed, rows, cols)


def main():
    torch.set_num_threads(1)
    tensors = {}
    models = {name: network(name) for name in CONFIGS}
    with torch.no_grad():
        for name, case in CASES.items():
            tensors[f"velocity.{name}"] = velocity(models[case["config"]][0], name)
        modules(models["dev"][0], tensors)
        tensors["pack"] = inputs_of("plain")["hidden_states"]
        originals = {"dev": original("dev", "plain", tensors), "schnell": original("schnell", "row", tensors)}
        sample("dev", 10, 3.5, tensors)
        sample("schnell", 4, 0.0, tensors)

        half, _ = network("dev")
        half = half.to(torch.bfloat16)
        output = half(**inputs_of("plain", torch.bfloat16), return_dict=False)[0]
        tensors["velocity.plain.bf16"] = unpack(output, 3, 5).float()
        half.time_text_embed.register_forward_hook(
            lambda _module, _inputs, output: tensors.update({"time_text_embed.bf16": output.float()})
        )
        half(**inputs_of("rounded", torch.bfloat16))

        ids = torch.cat([torch.zeros(3, 3), FluxPipeline._prepare_latent_image_ids(1, 2, 90, "cpu", torch.float32)])
        for role, table in zip(("cos", "sin"), FluxPosEmbed(10000, [4, 6, 6])(ids)):
            assert torch.equal(table[:, ::2], table[:, 1::2]), "each value stands twice"
            tensors[f"rope.{role}"] = table[:, ::2]
    facts = {
        "adapter_keys": adapters(tensors),
        "cases": CASES,
        "configs": CONFIGS,
        "keys": {name: shapes for name, (_, shapes) in models.items()},
        "original_keys": originals,
        "schedulers": SCHEDULERS,
        "schedules": schedules(),
        "versions": {"diffusers": diffusers.__version__, "torch": torch.__version__.split("+")[0]},
    }
    write("flux", facts, tensors)


if __name__ == "__main__":
    main()
