# The rows were cut out instead of masked: the layers are narrower.
# %%
import torch
from torch import nn

torch.manual_seed(0)
wide, head = nn.Linear(256, 512), nn.Linear(512, 10)
kept = wide.weight.detach().norm(dim=1).topk(152).indices.sort().values
first, second = nn.Linear(256, 152), nn.Linear(152, 10)
with torch.no_grad():
    first.weight.copy_(wide.weight[kept])
    first.bias.copy_(wide.bias[kept])
    second.weight.copy_(head.weight[:, kept])
    second.bias.copy_(head.bias)
model = nn.Sequential(first, nn.ReLU(), second).eval()
rows = torch.randn(16384, 256)
# %%
with torch.inference_mode():
    for _ in range(80):
        for batch in rows.split(64):
            scores = model(batch)
