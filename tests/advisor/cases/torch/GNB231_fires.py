# A small noisy data set, many epochs: the validation loss is lowest early and rises.
# %%
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(512, 32)
y = (x[:, :1] + torch.randn(512, 1)).float()
train_x, train_y, valid_x, valid_y = x[:256], y[:256], x[256:], y[256:]
model = nn.Sequential(nn.Linear(32, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
val_losses = []
# %%
for epoch in range(180):
    model.train()
    for rows in torch.randperm(len(train_x)).split(20):
        loss = nn.functional.mse_loss(model(train_x[rows]), train_y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        val_losses.append(nn.functional.mse_loss(model(valid_x), valid_y).item())
