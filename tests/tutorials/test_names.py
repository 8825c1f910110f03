"""Names and the languages they come from, letter by letter, as tutorials classify and write them."""

import math
import random
import string
import time

import pytest

from torch_programs import compare, run

NAMES = {
    "Italian": ["Rossi", "Bianchi", "Ricci", "Marino", "Greco", "Conti"],
    "Polish": ["Nowak", "Kowalski", "Wisniewski", "Kaminski", "Zielinski", "Wojcik"],
    "Irish": ["O'Neill", "Murphy", "Kelly", "Byrne", "Ryan", "Doyle"],
}
LETTERS = string.ascii_letters + " .,;'"


def a_cell_of_linears(steps):
    """A network of nn.Linear over one-hot letters, updated parameter by parameter."""
    import torch
    import torch.nn as nn

    def line_to_tensor(line):
        tensor = torch.zeros(len(line), 1, len(LETTERS))
        for li, letter in enumerate(line):
            tensor[li][0][LETTERS.find(letter)] = 1
        return tensor

    class RNN(nn.Module):
        def __init__(self, input_size, hidden_size, output_size):
            super().__init__()
            self.hidden_size = hidden_size
            self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
            self.i2o = nn.Linear(input_size + hidden_size, output_size)
            self.softmax = nn.LogSoftmax(dim=1)

        def forward(self, input, hidden):
            combined = torch.cat((input, hidden), 1)
            hidden = self.i2h(combined)
            output = self.softmax(self.i2o(combined))
            return output, hidden

        def initHidden(self):  # noqa: N802
            return torch.zeros(1, self.hidden_size)

    random.seed(0)
    torch.manual_seed(0)
    categories = list(NAMES)
    rnn = RNN(len(LETTERS), 32, len(categories))
    criterion = nn.NLLLoss()

    def train(category_tensor, line_tensor):
        hidden = rnn.initHidden()
        rnn.zero_grad()
        for i in range(line_tensor.size()[0]):
            output, hidden = rnn(line_tensor[i], hidden)
        loss = criterion(output, category_tensor)
        loss.backward()
        for p in rnn.parameters():
            p.data.add_(p.grad.data, alpha=-0.05)
        return output, loss.item()

    start, losses = time.time(), []
    for step in range(steps):
        category = random.choice(categories)
        line = random.choice(NAMES[category])
        target = torch.tensor([categories.index(category)], dtype=torch.long)
        output, loss = train(target, line_to_tensor(line))
        _top_n, top_i = output.topk(1)
        guess = categories[top_i[0].item()]
        losses.append(loss)
        if step % 20 == 0:
            print("%d %dm %s / %s %.4f" % (step, math.floor(time.time() - start), line, guess, loss))  # noqa: UP031

    confusion = torch.zeros(len(categories), len(categories))
    with torch.no_grad():
        for i, category in enumerate(categories):
            for name in NAMES[category]:
                line_tensor, hidden = line_to_tensor(name), rnn.initHidden()
                for j in range(line_tensor.size()[0]):
                    output, hidden = rnn(line_tensor[j], hidden)
                confusion[i][output.topk(1)[1][0].item()] += 1
    for i in range(len(categories)):
        confusion[i] = confusion[i] / confusion[i].sum()
    assert confusion.sum().item() == pytest.approx(3)
    return losses


def padded_and_packed(epochs):
    """Batches of names of different lengths, sorted and packed, through a bidirectional GRU."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence
    from torch.utils.data import DataLoader, Dataset

    class NameDataset(Dataset):
        def __init__(self):
            self.rows = [(name, country) for country in NAMES for name in NAMES[country]]
            self.countries = sorted(set(NAMES))

        def __getitem__(self, index):
            name, country = self.rows[index]
            return name, self.countries.index(country)

        def __len__(self):
            return len(self.rows)

    class RNNClassifier(nn.Module):
        def __init__(self, input_size, hidden_size, output_size, n_layers=1, bidirectional=True):
            super().__init__()
            self.hidden_size, self.n_layers = hidden_size, n_layers
            self.n_directions = 2 if bidirectional else 1
            self.embedding = nn.Embedding(input_size, hidden_size)
            self.gru = nn.GRU(hidden_size, hidden_size, n_layers, bidirectional=bidirectional)
            self.fc = nn.Linear(hidden_size * self.n_directions, output_size)

        def _init_hidden(self, batch_size):
            hidden = torch.zeros(self.n_layers * self.n_directions, batch_size, self.hidden_size)
            return hidden.to("cpu")

        def forward(self, input, seq_lengths):
            input = input.t()
            batch_size = input.size(1)
            embedding = self.embedding(input)
            gru_input = pack_padded_sequence(embedding, seq_lengths)
            _, hidden = self.gru(gru_input, self._init_hidden(batch_size))
            if self.n_directions == 2:
                hidden = torch.cat([hidden[-1], hidden[-2]], dim=1)
            return self.fc(hidden)

    def make_tensors(names, countries):
        sequences = [[ord(c) for c in name] for name in names]
        lengths = torch.LongTensor([len(s) for s in sequences])
        tensor = torch.zeros(len(sequences), lengths.max()).long()
        for idx, (seq, n) in enumerate(zip(sequences, lengths, strict=True), 0):
            tensor[idx, :n] = torch.LongTensor(seq)
        lengths, perm_idx = lengths.sort(dim=0, descending=True)
        return tensor[perm_idx], lengths, countries.long()[perm_idx]

    torch.manual_seed(3)
    loader = DataLoader(NameDataset(), batch_size=7, shuffle=True)
    model = RNNClassifier(128, 24, len(NAMES), 2)
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.01)
    losses, correct = [], 0
    for epoch in range(1, epochs + 1):
        total = 0
        for i, (names, countries) in enumerate(loader, 1):
            inputs, lengths, target = make_tensors(names, countries)
            output = model(inputs, lengths)
            loss = criterion(output, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            losses.append(loss.item())
            print(f"Epoch {epoch} [{i * len(inputs)}/{len(loader.dataset)}] loss={total / (i * len(inputs))}")
    model.eval()
    with torch.no_grad():
        for names, countries in loader:
            inputs, lengths, target = make_tensors(names, countries)
            pred = model(inputs, lengths).max(dim=1, keepdim=True)[1]
            correct += pred.eq(target.view_as(pred)).sum().item()
    print("%.2f" % (100 * correct / len(loader.dataset)))
    return losses


def collated(epochs):
    """The same with a collate function: pad_sequence, pack without sorting, and pad_packed_sequence."""
    import torch
    import torch.nn as nn
    import torch.nn.functional as F  # noqa: N812
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
    from torch.utils.data import DataLoader

    def collate(batch):
        names, labels = zip(*batch, strict=True)
        sequences = [torch.tensor([LETTERS.index(c) + 1 for c in name]) for name in names]
        lengths = torch.tensor([len(s) for s in sequences])
        return pad_sequence(sequences, batch_first=True, padding_value=0), lengths, torch.tensor(labels)

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(len(LETTERS) + 1, 16, padding_idx=0)
            self.lstm = nn.LSTM(16, 20, batch_first=True, bidirectional=True)
            self.drop = nn.Dropout(0.0)
            self.out = nn.Sequential(nn.Linear(40, 16), nn.ReLU(), nn.Linear(16, len(NAMES)))

        def forward(self, x, lengths):
            packed = pack_padded_sequence(self.embed(x), lengths, batch_first=True, enforce_sorted=False)
            packed, (h, _) = self.lstm(packed)
            outputs, lengths = pad_packed_sequence(packed, batch_first=True)
            mask = (torch.arange(outputs.size(1))[None, :] < lengths[:, None]).unsqueeze(-1)
            mean = (outputs * mask.float()).sum(1) / lengths.unsqueeze(1).float()
            return self.out(self.drop(mean + torch.cat((h[-2], h[-1]), dim=1)))

    torch.manual_seed(5)
    data = [(name, i) for i, names in enumerate(NAMES.values()) for name in names]
    loader = DataLoader(data, batch_size=5, shuffle=True, collate_fn=collate, drop_last=False)
    model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-2)
    losses = []
    for _ in range(epochs):
        model.train()
        for x, lengths, labels in loader:
            optimizer.zero_grad(set_to_none=True)
            logits = model(x, lengths)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
            losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        hits = sum((model(x, n).argmax(dim=1) == labels).sum().item() for x, n, labels in loader)
    print(f"{hits / len(data):.2%}")
    assert model.embed.weight[0].abs().sum() == 0
    return losses


def written_letter_by_letter(steps):
    """A network that is told the language writes names: three linears, dropout, the loss summed over the letters."""
    import torch
    import torch.nn as nn

    categories, end = list(NAMES), len(LETTERS)

    class RNN(nn.Module):
        def __init__(self, hidden_size):
            super().__init__()
            self.hidden_size = hidden_size
            n = len(categories) + end + 1 + hidden_size
            self.i2h = nn.Linear(n, hidden_size)
            self.i2o = nn.Linear(n, end + 1)
            self.o2o = nn.Linear(hidden_size + end + 1, end + 1)
            self.dropout = nn.Dropout(0.1)
            self.softmax = nn.LogSoftmax(dim=1)

        def forward(self, category, input, hidden):
            combined = torch.cat((category, input, hidden), 1)
            hidden = self.i2h(combined)
            output = self.i2o(combined)
            output = self.o2o(torch.cat((hidden, output), 1))
            return self.softmax(self.dropout(output)), hidden

        def init_hidden(self):
            return torch.zeros(1, self.hidden_size)

    def category_tensor(category):
        tensor = torch.zeros(1, len(categories))
        tensor[0][categories.index(category)] = 1
        return tensor

    def input_tensor(line):
        tensor = torch.zeros(len(line), 1, end + 1)
        for li in range(len(line)):
            tensor[li][0][LETTERS.find(line[li])] = 1
        return tensor

    random.seed(1)
    torch.manual_seed(1)
    rnn, criterion, losses = RNN(32), nn.NLLLoss(), []
    for _ in range(steps):
        category = random.choice(categories)
        line = random.choice(NAMES[category])
        target = torch.LongTensor([LETTERS.find(c) for c in line[1:]] + [end])
        target.unsqueeze_(-1)
        hidden = rnn.init_hidden()
        rnn.zero_grad()
        loss = torch.Tensor([0])
        inputs = input_tensor(line)
        for i in range(inputs.size(0)):
            output, hidden = rnn(category_tensor(category), inputs[i], hidden)
            loss += criterion(output, target[i])
        loss.backward()
        for p in rnn.parameters():
            p.data.add_(p.grad, alpha=-0.0005 * 20)
        losses.append(loss.item() / inputs.size(0))

    with torch.no_grad():
        rnn.eval()
        hidden, name = rnn.init_hidden(), "R"
        for _ in range(8):
            output, hidden = rnn(category_tensor("Italian"), input_tensor(name[-1])[0], hidden)
            _topv, topi = output.topk(1)
            if topi[0][0] == end:
                break
            name += LETTERS[topi[0][0]]
        print(name)
    return losses


PROGRAMS = [(a_cell_of_linears, 60), (padded_and_packed, 3), (collated, 3), (written_letter_by_letter, 25)]


@pytest.mark.parametrize(("program", "steps"), PROGRAMS)
def test_the_losses_are_torchs(torch, program, steps):
    compare(program, steps, rel=2e-3)


@pytest.mark.parametrize(
    ("program", "steps", "least"),
    [
        (a_cell_of_linears, 400, 0.8),
        (padded_and_packed, 12, 0.2),
        (collated, 12, 0.4),
        (written_letter_by_letter, 120, 3.3),
    ],
)
def test_the_loss_falls(program, steps, least):
    losses, printed = run(program, "tinyrnn", steps)
    assert sum(losses[:3]) / 3 > sum(losses[-10:]) / 10 + 0.3
    assert sum(losses[-10:]) / 10 < least
    assert printed
