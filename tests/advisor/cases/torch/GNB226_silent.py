# As many threads as CPUs, as PyTorch chooses by itself.
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 10))
rows = torch.randn(256, 512)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
# %%
for step in range(200):
    optimizer.zero_grad()
    loss = net(rows).square().mean()
    loss.backward()
    optimizer.step()
