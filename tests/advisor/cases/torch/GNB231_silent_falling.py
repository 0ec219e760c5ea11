# No early stop, but the loss still falls when the last epoch ends.
# %%
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(4096, 32)
y = torch.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3]
train_x, train_y, valid_x, valid_y = x[:3072], y[:3072], x[3072:], y[3072:]
model = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
history = {"val_loss": []}
# %%
for epoch in range(40):
    model.train()
    for rows in torch.randperm(len(train_x)).split(64):
        loss = nn.functional.mse_loss(model(train_x[rows]), train_y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        history["val_loss"].append(nn.functional.mse_loss(model(valid_x), valid_y).item())
