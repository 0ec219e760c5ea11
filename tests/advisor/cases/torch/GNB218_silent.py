# The same training as where it fires, with gradients that are dropped.
# %%
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(4096, 256)
y = torch.randint(0, 10, (4096,))
model = nn.Sequential(nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
# %%
for step in range(1300):
    rows = torch.randint(0, len(x), (64,))
    loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
