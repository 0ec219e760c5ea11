# A small convolutional network on scikit-learn's digits, written as one should: float32, batches, no_grad evaluation.
# %%
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
# %%
images, labels = load_digits(return_X_y=True)
images = torch.tensor(images.reshape(-1, 1, 8, 8) / 16.0, dtype=torch.float32)
labels = torch.tensor(labels)
train_x, test_x, train_y, test_y = train_test_split(images, labels, test_size=0.25, random_state=0)
train = DataLoader(TensorDataset(train_x, train_y), batch_size=64, shuffle=True)
test = DataLoader(TensorDataset(test_x, test_y), batch_size=256)
# %%
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
    nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()
# %%
def evaluate(model, loader):
    model.eval()
    right = seen = 0
    with torch.no_grad():
        for x, y in loader:
            right += (model(x).argmax(1) == y).sum().item()
            seen += len(y)
    return right / seen


for epoch in range(20):
    model.train()
    for x, y in train:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
accuracy = evaluate(model, test)
# %%
assert accuracy > 0.9
