# Wide linear layers score many small batches on the CPU; nothing is trained.
# %%
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(
    nn.Linear(1024, 2048), nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(),
    nn.Linear(2048, 10),
)  # fmt: skip
model.eval()
rows = torch.randn(4096, 1024)
# %%
scores = []
with torch.inference_mode():
    for _ in range(3):
        for batch in rows.split(16):
            scores.append(model(batch))
