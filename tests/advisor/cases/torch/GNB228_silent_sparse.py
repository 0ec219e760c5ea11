# One weight of fifty is left: that is where a sparse format may pay.
# %%
import torch
from torch import nn
from torch.nn.utils import prune

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
for layer in (model[0], model[2]):
    prune.l1_unstructured(layer, "weight", amount=0.98)
model.eval()
rows = torch.randn(16384, 256)
# %%
with torch.inference_mode():
    for _ in range(12):
        for batch in rows.split(64):
            scores = model(batch)
