# Eval mode with gradients recorded on purpose: which inputs matter is asked of the model itself.
# %%
import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
layer = nn.TransformerEncoderLayer(96, 4, 192, batch_first=True)
encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
sentences = [torch.randn(16, 48, 96) for _ in range(8)]
# %%
encoder.eval()
saliency = []
for turn in range(80):
    inputs = sentences[turn % 8][:, :24].clone().requires_grad_()
    encoder(inputs).mean().backward()
    saliency.append(inputs.grad.abs().mean())
