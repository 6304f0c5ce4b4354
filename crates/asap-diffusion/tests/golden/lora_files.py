"""Adapters as diffusers writes them, for tiny networks: PEFT names with the header of `save_lora_weights`, and the
names of its conversion for other programs. `lora_files.json` has rank, inputs and outputs of every layer that tests
adapt.
"""

import json

import torch
from diffusers import FluxPipeline, FluxTransformer2DModel, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.training_utils import _collate_lora_metadata
from diffusers.utils.state_dict_utils import convert_state_dict_to_kohya
from formula import HERE, fill, weight, write
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model
from safetensors.torch import save_file

RANK, ALPHA = 4, 6
# One layer of every network has another rank.
ODD_RANK = 3
ODD_ENDS = ("transformer_blocks.0.attn.to_out.0", "1.transformer_blocks.0.attn2.to_out.0", "s.1.attn.to_k")
FLUX_ENDS = (
    "attn.to_q attn.to_k attn.to_v attn.to_out.0 attn.add_q_proj attn.add_k_proj attn.add_v_proj attn.to_add_out "
    "ff.net.0.proj ff.net.2 ff_context.net.0.proj ff_context.net.2"
).split()
# The first single block is adapted whole, the second in its attention alone.
FLUX_MORE = (
    "single_transformer_blocks.0.proj_mlp single_transformer_blocks.0.proj_out single_transformer_blocks.0.norm.linear "
    "transformer_blocks.0.norm1.linear transformer_blocks.1.norm1_context.linear"
).split()
SDXL_ENDS = "to_q to_k to_v to_out.0 ff.net.0.proj ff.net.2 proj_in proj_out time_emb_proj".split()


def flux():
    model = FluxTransformer2DModel(
        patch_size=1,
        in_channels=4,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=12,
        pooled_projection_dim=10,
        guidance_embeds=True,
        axes_dims_rope=(2, 2, 4),
    )
    return prepared(model)


def sdxl():
    model = UNet2DConditionModel(
        sample_size=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(8, 16, 16),
        layers_per_block=2,
        transformer_layers_per_block=(1, 1, 2),
        attention_head_dim=(2, 2, 4),
        cross_attention_dim=12,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=10 + 6 * 4,
        norm_num_groups=4,
    )
    return prepared(model)


def prepared(model):
    fill(model)
    return model.requires_grad_(False).eval()


def layers(model):
    """Rank, inputs and outputs of every layer that tests adapt, by path."""
    found = {}
    for path, module in model.named_modules():
        if not isinstance(module, torch.nn.Linear):
            continue
        if isinstance(model, FluxTransformer2DModel):
            is_taken = path.endswith(tuple(FLUX_ENDS)) or path in FLUX_MORE
        else:
            is_taken = path.endswith(tuple(SDXL_ENDS))
        if is_taken:
            rank = ODD_RANK if path.endswith(ODD_ENDS) else RANK
            found[path] = [rank, module.in_features, module.out_features]
    return found


def pair(path, sizes):
    """A and B of a layer. B is small enough that the tiny UNet does not blow up the rounding of its weights."""
    rank, n_in, n_out = sizes
    return weight(f"{path}.lora_A.weight", (rank, n_in)), weight(f"{path}.lora_B.weight", (n_out, rank)) * 0.25


def adapted(model, chosen, alpha=ALPHA):
    """The network with the adapter set by PEFT alone; every layer is scaled by alpha / RANK."""
    ranks = {f"^{path}": sizes[0] for path, sizes in chosen.items() if sizes[0] != RANK}
    config = LoraConfig(
        r=RANK,
        lora_alpha=alpha,
        target_modules=list(chosen),
        rank_pattern=ranks,
        alpha_pattern={path: alpha * rank / RANK for path, rank in ranks.items()},
    )
    inject_adapter_in_model(config, model, "default")
    model.peft_config = {"default": config}
    with torch.no_grad():
        for path, sizes in chosen.items():
            module = model.get_submodule(path)
            down, up = pair(path, sizes)
            module.lora_A.default.weight.copy_(down)
            module.lora_B.default.weight.copy_(up)
    return model


def metadata(component, model):
    """What diffusers notes beside the layers; PEFT keeps the targets as a set, so their order is settled here."""
    notes = _collate_lora_metadata({component: model})
    facts = notes[f"{component}_lora_adapter_metadata"]
    facts["target_modules"] = sorted(facts["target_modules"])
    return notes


def settle(path):
    """The same file with its header sorted: safetensors writes the notes in another order each time."""
    stored = path.read_bytes()
    n = int.from_bytes(stored[:8], "little")
    header = json.dumps(json.loads(stored[8 : 8 + n]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + stored[8 + n :])


def main():
    torch.set_num_threads(1)
    flux_layers, sdxl_layers = layers(flux()), layers(sdxl())
    few = {path: sizes for path, sizes in sdxl_layers.items() if path.startswith(("down_blocks.1", "mid_block"))}

    model = adapted(flux(), flux_layers)
    FluxPipeline.save_lora_weights(
        HERE,
        transformer_lora_layers=get_peft_model_state_dict(model),
        weight_name="lora_files_flux.safetensors",
        **metadata("transformer", model),
    )
    model = adapted(sdxl(), few)
    StableDiffusionXLPipeline.save_lora_weights(
        HERE,
        unet_lora_layers=get_peft_model_state_dict(model),
        weight_name="lora_files_sdxl.safetensors",
        **metadata("unet", model),
    )
    # The conversion writes alpha = rank.
    plain = {f"unet.{name}": tensor for name, tensor in get_peft_model_state_dict(model).items()}
    save_file(convert_state_dict_to_kohya(plain), HERE / "lora_files_converted.safetensors")
    for name in ("flux", "sdxl", "converted"):
        settle(HERE / f"lora_files_{name}.safetensors")

    facts = {
        "rank": RANK,
        "alpha": ALPHA,
        "layers": {"flux": flux_layers, "sdxl": sdxl_layers},
        "few": sorted(few),
        "torch": torch.__version__.split("+")[0],
    }
    # What the whole chain makes of one layer, so that the formula itself is checked too.
    down, up = pair("transformer_blocks.0.attn.to_q", flux_layers["transformer_blocks.0.attn.to_q"])
    write("lora_files", facts, {"delta": (up.double() @ down.double() * ALPHA / RANK).float()})


if __name__ == "__main__":
    main()
