# A small transformer that learns to reverse sequences of digits: PyTorch's own attention, mixed lengths left out.
# %%
import torch
from torch import nn

torch.manual_seed(0)
LENGTH, VOCABULARY, WIDTH = 24, 12, 64


def sequences(count):
    source = torch.randint(2, VOCABULARY, (count, LENGTH))
    return source, source.flip(1)


# %%
class Reverser(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.places = nn.Parameter(torch.randn(LENGTH, WIDTH))
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 128, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, source):
        return self.head(self.encoder(self.tokens(source) + self.places))


model = Reverser()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
loss_of = nn.CrossEntropyLoss()
# %%
losses = []
for step in range(160):
    source, target = sequences(32)
    optimizer.zero_grad()
    loss = loss_of(model(source).flatten(0, 1), target.flatten())
    loss.backward()
    optimizer.step()
    if step % 40 == 0:
        losses.append(loss.item())
# %%
model.eval()
with torch.inference_mode():
    source, target = sequences(512)
    accuracy = (model(source).argmax(-1) == target).float().mean().item()
print(losses, accuracy)
