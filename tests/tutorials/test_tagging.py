"""Tags for words and verdicts on sentences, as tutorials train them."""

import os

import pytest

from torch_programs import compare, run

SENTENCES = [
    (["The", "dog", "ate", "the", "apple"], ["DET", "NN", "V", "DET", "NN"]),
    (["Everybody", "read", "that", "book"], ["NN", "V", "DET", "NN"]),
]
REVIEWS = [
    ("a good and happy film", 1),
    ("bad film", 0),
    ("what a sad and bad end", 0),
    ("happy end", 1),
    ("good songs good end", 1),
    ("the songs are sad", 0),
]


def tagger(epochs):
    """A tag for each word: one sentence at a time, the hidden pair left out."""
    import torch
    import torch.nn as nn
    import torch.nn.functional as F  # noqa: N812
    import torch.optim as optim

    torch.manual_seed(1)
    lstm = nn.LSTM(3, 3)
    inputs = [torch.randn(1, 3) for _ in range(5)]
    hidden = (torch.randn(1, 1, 3), torch.randn(1, 1, 3))
    for i in inputs:
        out, hidden = lstm(i.view(1, 1, -1), hidden)
    inputs = torch.cat(inputs).view(len(inputs), 1, -1)
    out, hidden = lstm(inputs, (torch.randn(1, 1, 3), torch.randn(1, 1, 3)))
    numbers = [*out.flatten().tolist(), *hidden[1].flatten().tolist()]

    word_to_ix = {}
    for sentence, _tags in SENTENCES:
        for word in sentence:
            if word not in word_to_ix:
                word_to_ix[word] = len(word_to_ix)
    tag_to_ix = {"DET": 0, "NN": 1, "V": 2}

    def prepare_sequence(seq, to_ix):
        return torch.tensor([to_ix[w] for w in seq], dtype=torch.long)

    class LSTMTagger(nn.Module):
        def __init__(self, embedding_dim, hidden_dim, vocab_size, tagset_size):
            super().__init__()
            self.hidden_dim = hidden_dim
            self.word_embeddings = nn.Embedding(vocab_size, embedding_dim)
            self.lstm = nn.LSTM(embedding_dim, hidden_dim)
            self.hidden2tag = nn.Linear(hidden_dim, tagset_size)

        def forward(self, sentence):
            embeds = self.word_embeddings(sentence)
            lstm_out, _ = self.lstm(embeds.view(len(sentence), 1, -1))
            tag_space = self.hidden2tag(lstm_out.view(len(sentence), -1))
            return F.log_softmax(tag_space, dim=1)

    model = LSTMTagger(6, 6, len(word_to_ix), len(tag_to_ix))
    loss_function = nn.NLLLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(epochs):
        for sentence, tags in SENTENCES:
            model.zero_grad()
            tag_scores = model(prepare_sequence(sentence, word_to_ix))
            loss = loss_function(tag_scores, prepare_sequence(tags, tag_to_ix))
            loss.backward()
            optimizer.step()
            numbers.append(loss.item())
    with torch.no_grad():
        for sentence, _tags in SENTENCES:
            tag_scores = model(prepare_sequence(sentence, word_to_ix))
            print([list(tag_to_ix)[i] for i in tag_scores.argmax(1)])
    return numbers


def sentiment(epochs, directory, kind="LSTM"):
    """One logit for a padded, packed sentence from both ends of a bidirectional layer; the best model saved."""
    import torch
    import torch.nn as nn
    import torch.optim as optim

    vocabulary = ["<unk>", "<pad>", *sorted({word for text, _ in REVIEWS for word in text.split()})]
    stoi = {word: i for i, word in enumerate(vocabulary)}
    pad = stoi["<pad>"]

    class Classifier(nn.Module):
        def __init__(self, embedding_dim, hidden_dim, n_layers, bidirectional, dropout):
            super().__init__()
            self.embedding = nn.Embedding(len(vocabulary), embedding_dim, padding_idx=pad)
            self.rnn = getattr(nn, kind)(
                embedding_dim, hidden_dim, num_layers=n_layers, bidirectional=bidirectional, dropout=dropout
            )
            self.fc = nn.Linear(hidden_dim * 2, 1)
            self.dropout = nn.Dropout(dropout)

        def forward(self, text, text_lengths):
            embedded = self.dropout(self.embedding(text))
            packed = nn.utils.rnn.pack_padded_sequence(embedded, text_lengths.to("cpu"))
            packed_output, hidden = self.rnn(packed)
            if isinstance(hidden, tuple):
                hidden, _cell = hidden
            _output, output_lengths = nn.utils.rnn.pad_packed_sequence(packed_output)
            assert torch.equal(output_lengths, text_lengths)
            hidden = self.dropout(torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1))
            return self.fc(hidden)

    def batches(size):
        rows = sorted(REVIEWS, key=lambda row: -len(row[0].split()))
        for i in range(0, len(rows), size):
            words = [[stoi.get(w, 0) for w in text.split()] for text, _ in rows[i : i + size]]
            lengths = torch.tensor([len(w) for w in words])
            text = torch.full((int(lengths.max()), len(words)), pad, dtype=torch.int64)
            for j, row in enumerate(words):
                text[: len(row), j] = torch.tensor(row)
            yield text, lengths, torch.tensor([float(label) for _, label in rows[i : i + size]])

    def binary_accuracy(preds, y):
        rounded = torch.round(torch.sigmoid(preds))
        correct = (rounded == y).float()
        return correct.sum() / len(correct)

    torch.manual_seed(3)
    model = Classifier(8, 10, 2, True, 0.0)
    pretrained = torch.randn(len(vocabulary), 8) * 0.5
    model.embedding.weight.data.copy_(pretrained)
    model.embedding.weight.data[pad] = torch.zeros(8)
    print(f"The model has {sum(p.numel() for p in model.parameters() if p.requires_grad):,} trainable parameters")
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.BCEWithLogitsLoss()
    path, best, losses = os.path.join(directory, f"{kind}.pt"), float("inf"), []
    for epoch in range(epochs):
        model.train()
        epoch_loss, epoch_acc = 0, 0
        for text, lengths, labels in batches(3):
            optimizer.zero_grad()
            predictions = model(text, lengths).squeeze(1)
            loss = criterion(predictions, labels)
            acc = binary_accuracy(predictions, labels)
            loss.backward()
            optimizer.step()
            epoch_loss += loss.item()
            epoch_acc += acc.item()
            losses.append(loss.item())
        if epoch_loss < best:
            best = epoch_loss
            torch.save({"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    print(f"Epoch: {epoch + 1:02} | Loss: {epoch_loss / 2:.3f} | Acc: {epoch_acc / 2 * 100:.2f}%")

    checkpoint = torch.load(path, map_location=torch.device("cpu"))
    model = Classifier(8, 10, 2, True, 0.0)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    model.eval()
    with torch.no_grad():
        total = sum(criterion(model(t, n).squeeze(1), y).item() for t, n, y in batches(3))
    assert checkpoint["epoch"] <= epochs
    return [*losses, total]


def with_dropout(epochs):
    """A sequence classifier with dropout between the layers, trained and then evaluated."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = nn.GRU(5, 16, num_layers=3, batch_first=True, dropout=0.3)
            self.norm = nn.LayerNorm(16)
            self.fc = nn.Linear(16, 2)

        def forward(self, x):
            self.gru.flatten_parameters()
            out, _ = self.gru(x)
            return self.fc(self.norm(out[:, -1]))

    torch.manual_seed(0)
    x = torch.rand(24, 7, 5)
    y = (x[:, -1, 0] > 0.5).long()
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min", patience=15)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(epochs):
        model.train()
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step(loss)
    model.eval()
    with torch.no_grad():
        one, other = model(x), model(x)
        _, predicted = torch.max(one.data, 1)
    assert torch.allclose(one, other)
    print("Accuracy: {} %".format(100 * (predicted == y).sum().item() / y.size(0)))  # noqa: UP032
    return [loss.item()]


def test_tagger(torch):
    compare(tagger, 5, rel=1e-3)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_sentiment(torch, tmp_path, kind):
    compare(sentiment, 4, str(tmp_path), kind, rel=2e-3)


def test_the_loss_falls(tmp_path):
    losses, printed = run(tagger, "tinyrnn", 150)
    assert losses[-1] < 0.2
    assert printed.splitlines() == [str(tags) for _, tags in SENTENCES]
    losses, printed = run(sentiment, "tinyrnn", 30, str(tmp_path))
    assert losses[-1] < 0.1
    assert "Acc: 100.00%" in printed
    losses, printed = run(with_dropout, "tinyrnn", 60)
    assert losses[-1] < 0.5
    assert float(printed.split()[1]) > 80
