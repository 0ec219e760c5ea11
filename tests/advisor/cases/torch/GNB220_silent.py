# The loss is read in every step, on a CPU: there is no queue that would have to run empty for it.
# %%
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(4096, 64)
y = torch.randn(4096, 1)
model = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
losses = []
# %%
for epoch in range(10):
    for rows in torch.randperm(len(x)).split(64):
        loss = nn.functional.mse_loss(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
