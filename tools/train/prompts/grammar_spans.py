"""Legal spans of a prompt (docs/BUNDLE.md, "Copied spans")."""


def letters(prompt: bytes):
    """For each byte, whether it belongs to a word character: an ASCII letter or digit, or a character beyond ASCII other than Latin-1 signs (U+0080…U+00BF)
    and general punctuation (U+2000…U+207F)."""
    flags, i = [], 0
    while i < len(prompt):
        width = 1 if prompt[i] < 0xc0 else 2 if prompt[i] < 0xe0 else 3 if prompt[i] < 0xf0 else 4
        sign = prompt[i] == 0xc2 or (prompt[i] == 0xe2 and prompt[i + 1:i + 2] in (b"\x80", b"\x81"))
        flags += [not sign if prompt[i] >= 0x80 else chr(prompt[i]).isalnum()] * width
        i += width
    return flags[:len(prompt)]


def word_starts_ends(prompt: bytes):
    """[(start, end)] of a prompt's words, in bytes."""
    flags = letters(prompt)

    def solid(i):
        return 0 <= i < len(prompt) and flags[i]

    words, start = [], None
    for i in range(len(prompt) + 1):
        inside = solid(i) or (i < len(prompt) and prompt[i] in b"'-" and solid(i - 1) and solid(i + 1))
        if inside and start is None:
            start = i
        elif not inside and start is not None:
            words.append((start, i))
            start = None
    return words


def legal_spans(prompt: bytes, cap: int):
    """All (start, end) that a copied span of at most `cap` bytes may have."""
    words, spans = word_starts_ends(prompt), []
    barred = [i for i, b in enumerate(prompt) if b < 0x20 or b in b'"\\'] + [len(prompt)]
    bar = 0
    for i, (start, _) in enumerate(words):
        while barred[bar] < start:
            bar += 1
        last = min(start + cap, barred[bar])  # latest end of a span
        for _, end in words[i:]:
            if end > last:
                break
            spans.append((start, end))
            if end - start < cap and prompt[end:end + 1] in (b"!", b"?"):
                spans.append((start, end + 1))
    return spans


def pieces(line: str, cap: int):
    """Cuts a line into legal spans, each as long as possible. None if they would leave out more than punctuation, as where a word is too long."""
    text, parts, at = line.encode(), [], 0
    spans = legal_spans(text, cap)
    while any(s >= at for s, _ in spans):
        start = min(s for s, _ in spans if s >= at)
        if text[at:start].strip(b" ,.;:!?-'"):
            return None
        at = max(e for s, e in spans if s == start)
        parts.append(text[start:at].decode())
    return parts if parts and not text[at:].strip(b" ,.;:-'") else None
