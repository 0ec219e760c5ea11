# Each picture is decompressed on its way to the model, one after the other, while the model waits.
# %%
import zlib

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Stored(Dataset):
    """Pictures as they lie on a disk: compressed."""

    def __init__(self, count):
        rng = np.random.default_rng(0)
        pictures = (rng.integers(0, 4, (32, 3, 192, 192)) * 60).astype(np.uint8)
        self.blobs = [zlib.compress(picture.tobytes()) for picture in pictures]
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        raw = zlib.decompress(self.blobs[index % len(self.blobs)])
        picture = np.frombuffer(raw, dtype=np.uint8).reshape(3, 192, 192)
        return torch.from_numpy(picture[:, ::6, ::6] / np.float32(255)), index % 10


torch.manual_seed(0)
torch.set_num_threads(1)
net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
train_loader = DataLoader(Stored(8000), batch_size=16, shuffle=True)
# %%
for inputs, targets in train_loader:
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(inputs), targets)
    loss.backward()
    optimizer.step()
