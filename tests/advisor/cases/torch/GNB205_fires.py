# Predictions in eval mode, but with gradients recorded: nothing is ever differentiated.
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
means = []
for turn in range(800):
    means.append(encoder(sentences[turn % 8]).mean().detach())
