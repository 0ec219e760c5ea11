# Seven of ten weights are masked, here and there: the layers are as wide as they were.
# %%
import torch
from torch import nn
from torch.nn.utils import prune

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
for layer in (model[0], model[2]):
    prune.l1_unstructured(layer, "weight", amount=0.7)
model.eval()
rows = torch.randn(16384, 256)
# %%
with torch.inference_mode():
    for _ in range(40):
        for batch in rows.split(64):
            scores = model(batch)
