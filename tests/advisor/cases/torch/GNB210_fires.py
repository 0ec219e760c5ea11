# A convolutional net that pools, on 32 x 32 pictures with their channels first.
# also: GNB226, for its one thread, which a busy machine disturbs less
# %%
import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
net = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
)
pictures = torch.randn(256, 3, 32, 32)
labels = torch.randint(0, 10, (256,))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
# %%
for step in range(300):
    chosen = torch.randint(0, 256, (48,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(pictures[chosen]), labels[chosen])
    loss.backward()
    optimizer.step()
