# Regression with a multilayer perceptron: the data lies in tensors, batches are slices, the loss is read once an epoch.
# %%
import torch
from sklearn.datasets import make_friedman1
from torch import nn

torch.manual_seed(0)
x, y = make_friedman1(n_samples=20_000, n_features=16, noise=0.5, random_state=0)
x = torch.tensor(x, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32).unsqueeze(1)
train_x, train_y, valid_x, valid_y = x[:16_000], y[:16_000], x[16_000:], y[16_000:]
# %%
model = nn.Sequential(nn.Linear(16, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
loss_of = nn.MSELoss()
best, patience = float("inf"), 0
# %%
for epoch in range(60):
    order = torch.randperm(len(train_x))
    total = torch.zeros(())
    for batch in order.split(512):
        loss = loss_of(model(train_x[batch]), train_y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach()
    with torch.inference_mode():
        valid = loss_of(model(valid_x), valid_y).item()
    if valid < best - 1e-3:
        best, patience = valid, 0
    else:
        patience += 1
        if patience == 5:
            break
# %%
print(f"validation loss {best:.3f} after {epoch + 1} epochs")
