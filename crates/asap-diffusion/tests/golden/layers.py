"""Golden numbers of single layers: a linear layer with a PEFT adapter, its gradients, and the sinusoid of diffusers."""

import torch
from diffusers.models.embeddings import get_timestep_embedding
from formula import fill, values, weight, write
from peft import LoraConfig, inject_adapter_in_model


class Holder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.to_q = torch.nn.Linear(12, 10)


def main():
    model = Holder()
    shapes = fill(model)
    model.requires_grad_(False)
    inject_adapter_in_model(LoraConfig(r=4, lora_alpha=8, target_modules=["to_q"]), model)
    layer = model.to_q
    with torch.no_grad():
        layer.lora_A.default.weight.copy_(weight("to_q.lora_A.weight", (4, 12)))
        layer.lora_B.default.weight.copy_(weight("to_q.lora_B.weight", (10, 4)))
    y = layer(values("x", (2, 3, 12), 1.5))
    (y * values("seed", (2, 3, 10))).sum().backward()
    tensors = {
        "adapted": y,
        "grad.lora_A": layer.lora_A.default.weight.grad,
        "grad.lora_B": layer.lora_B.default.weight.grad,
        "sinusoid": get_timestep_embedding(
            torch.tensor([0.0, 1.0, 250.5, 999.0]), 32, flip_sin_to_cos=True, downscale_freq_shift=0
        ),
    }
    facts = {"keys": shapes, "torch": torch.__version__.split("+")[0]}
    write("layers", facts, tensors)


if __name__ == "__main__":
    main()
