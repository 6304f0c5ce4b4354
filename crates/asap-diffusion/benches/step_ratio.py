"""How long a preference step takes beside the same step in diffusers and PEFT, measured in one run.

    pip install -r crates/asap-diffusion/tests/golden/requirements.txt
    python crates/asap-diffusion/benches/step_ratio.py [--threads 2] [--rounds 7] [--backbones flux,sdxl]

Both take the same small network of random weights, a LoRA of rank 32, one pair, f32, and the same number of threads,
by turns. The reference is eager PyTorch: both images in one batch, the adapter off for the reference errors. `cold`
asks the frozen network in the step; `warm` has its errors already. Ours runs in both layouts, `split` (the default, one
image in memory) and `joint`; `warm` stands beside `cold` of the reference, which has no cache. Printed are medians, the quartiles of the ratio of
each round (ours over theirs), and the peak memory of both processes.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
FLUX = {
    "in_channels": 64,
    "num_layers": 3,
    "num_single_layers": 6,
    "attention_head_dim": 64,
    "num_attention_heads": 8,
    "joint_attention_dim": 256,
    "pooled_projection_dim": 128,
    "guidance_embeds": True,
    "axes_dims_rope": [8, 28, 28],
}
SDXL = {
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": [96, 192, 384],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 2,
    "transformer_layers_per_block": [1, 2, 2],
    "attention_head_dim": [2, 4, 8],
    "cross_attention_dim": 256,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 32,
    "projection_class_embeddings_input_dim": 6 * 32 + 128,
}
FLUX_TARGETS = "attn.to_q attn.to_k attn.to_v attn.to_out.0 attn.add_q_proj attn.add_k_proj attn.add_v_proj "
FLUX_TARGETS += "attn.to_add_out ff.net.0.proj ff.net.2 ff_context.net.0.proj ff_context.net.2"
SIZES = {"flux": (128, 32), "sdxl": (77, 32)}


def peak_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def start(folder, backbone, threads):
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = target / "debug" / "examples" / "bench_step"
    words = [program, folder, backbone, *map(str, SIZES[backbone]), str(threads)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def reference(backbone, folder):
    """The step of the reference."""
    import torch
    from diffusers import DDPMScheduler, FluxTransformer2DModel, UNet2DConditionModel
    from peft import LoraConfig

    torch.manual_seed(0)
    is_flux = backbone == "flux"
    model = FluxTransformer2DModel(**FLUX) if is_flux else UNet2DConditionModel(**SDXL)
    model.save_pretrained(folder)
    model.requires_grad_(False)
    targets = FLUX_TARGETS.split() if is_flux else ["to_q", "to_k", "to_v", "to_out.0"]
    model.add_adapter(LoraConfig(r=32, lora_alpha=32, target_modules=targets, init_lora_weights="gaussian"))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-5, weight_decay=1e-2, fused=True)
    n_tokens, side = SIZES[backbone]
    channels = 16 if is_flux else 4
    latents, noise = torch.randn(2, channels, side, side), torch.randn(1, channels, side, side)
    mask, tokens, pooled = torch.rand(1, 1, side, side), torch.randn(2, n_tokens, 256), torch.randn(2, 128)
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    ids = torch.zeros(side // 2, side // 2, 3)
    ids[..., 1] += torch.arange(side // 2)[:, None]
    ids[..., 2] += torch.arange(side // 2)[None, :]

    def predict(noisy):
        if not is_flux:
            added = {"text_embeds": pooled, "time_ids": torch.tensor([[512.0, 512, 0, 0, 512, 512]] * 2)}
            return model(noisy, torch.full((2,), 500), encoder_hidden_states=tokens, added_cond_kwargs=added).sample
        half = side // 2
        packed = noisy.view(2, channels, half, 2, half, 2).permute(0, 2, 4, 1, 3, 5).reshape(2, half * half, -1)
        out = model(
            hidden_states=packed,
            encoder_hidden_states=tokens,
            pooled_projections=pooled,
            timestep=torch.full((2,), 0.5),
            guidance=torch.full((2,), 3.5),
            img_ids=ids.reshape(-1, 3),
            txt_ids=torch.zeros(n_tokens, 3),
        ).sample
        return out.view(2, half, half, channels, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(noisy.shape)

    def errors():
        both = noise.expand_as(latents)
        if is_flux:
            noisy, target = 0.5 * latents + 0.5 * both, both - latents
        else:
            noisy, target = scheduler.add_noise(latents, both, torch.full((2,), 500)), both
        return ((1 + 10 * mask) ** 2 * (predict(noisy) - target) ** 2).mean(dim=(1, 2, 3))

    def step():
        model.disable_adapters()
        with torch.no_grad():
            frozen = errors()
        model.enable_adapters()
        policy = errors()
        delta = (frozen[0] - policy[0]) + (policy[1] - frozen[1])
        ((delta - 0.01) ** 2).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        optimiser.zero_grad()

    return step


def report_memory(backbone, layout, pid):
    our, their = peak_mib(pid), peak_mib("self")
    print(f"{backbone} {layout}, peak memory: torch {their:.0f} MiB, ours {our:.0f} MiB, ratio {our / their:.2f}", flush=True)


def compare(backbone, threads, rounds):
    with tempfile.TemporaryDirectory() as folder:
        theirs = reference(backbone, folder)
        ours = start(folder, backbone, threads)

        def ask(kind):
            ours.stdin.write(kind + "\n")
            ours.stdin.flush()
            return float(ours.stdout.readline())

        # The smaller one first: the peak is that of all before.
        for layout in ("split", "joint"):
            kinds = [f"cold {layout}", f"warm {layout}"]
            theirs(), [ask(kind) for kind in kinds]  # warm both
            rows = []
            for _ in range(rounds):
                started = time.perf_counter()
                theirs()
                rows.append([(time.perf_counter() - started) * 1e3, *map(ask, kinds)])
            their = [row[0] for row in rows]
            for at, kind in enumerate(kinds, 1):
                low, middle, high = statistics.quantiles([row[at] / row[0] for row in rows], n=4)
                our = statistics.median(row[at] for row in rows)
                print(
                    f"{backbone} {kind}: torch {statistics.median(their):7.0f} ms, ours {our:7.0f} ms, "
                    f"ratio {middle:.2f} (quartiles {low:.2f} - {high:.2f})",
                    flush=True,
                )
            report_memory(backbone, layout, ours.pid)
        ours.stdin.close()
        ours.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--backbones", default="flux,sdxl")
    arguments = parser.parse_args()
    # Read when torch is loaded.
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    # The selection of all other builds: another one would compile shared libraries again.
    subprocess.run(["cargo", "build", "--quiet", "--workspace", "--example", "bench_step"], cwd=ROOT, check=True)
    for backbone in arguments.backbones.split(","):
        # In a process of its own, so that each peak is that of one network.
        if "," in arguments.backbones:
            words = ["--threads", str(arguments.threads), "--rounds", str(arguments.rounds), "--backbones", backbone]
            subprocess.run([sys.executable, __file__, *words], check=True)
        else:
            compare(backbone, arguments.threads, arguments.rounds)


if __name__ == "__main__":
    main()
