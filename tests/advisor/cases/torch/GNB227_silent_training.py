# The wide model is trained in the cell that also scores with it.
# %%
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
rows = torch.randn(1024, 512)
labels = torch.randint(0, 10, (1024,))
# %%
for batch, label in zip(rows.split(64), labels.split(64), strict=True):
    loss = nn.functional.cross_entropy(model(batch), label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
model.eval()
with torch.inference_mode():
    for _ in range(40):
        for batch in rows.split(16):
            scores = model(batch)
