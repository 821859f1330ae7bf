"""The planner: a small Qwen3 trained on prompts and plans, with a loss only where the constrained decoder has a choice.

Trained by `run.py planner`, which writes config.json, model.safetensors and tokenizer.json. A run can be stopped and taken up again.
"""

import collections
import functools
import multiprocessing
import os
import pathlib
import shutil
import time

import numpy as np
import torch
from transformers import AttentionInterface, Qwen3Config, Qwen3ForCausalLM

import grammar
import speech
import tokens
from training import CACHE, DEVICE, EVAL_SEED, GPU_SCALE, MODEL, WORKERS, Budget, Log, Optimizer, autocast, save, started

FOLDER = CACHE / "planner"
TOKENIZER = FOLDER / "tokenizer.json"
TAP_LAYER = MODEL["tap_layer"]
BATCH_TOKENS = 3072 * GPU_SCALE
STAGES = [(0.4, 176, 64), (0.6, 384, 160)]  # until this part of the budget: tokens kept of a plan, and of a prompt at most; then whole plans
POOL, FRESH, RESERVOIR = 128, 32, 6000  # plans batched at once, new ones among them, and kept for reuse
QUERIES = 160  # of a block of attention
TOKENIZER_PLANS = 6000


def build(vocabulary):
    """A planner with fresh weights: 1.6 million parameters for the nano edition."""
    model = Qwen3ForCausalLM(Qwen3Config(
        **MODEL["planner"], vocab_size=vocabulary, max_position_embeddings=4096, rope_parameters={"rope_theta": 10000.0, "rope_type": "default"}, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=None, pad_token_id=None))
    for layer in model.model.layers:  # sharper attention from the start: copying is learnt sooner
        torch.nn.init.constant_(layer.self_attn.q_norm.weight, 2.0)
    return model.to(DEVICE)


def load(folder):
    """(model, vocabulary) of an exported planner."""
    folder = pathlib.Path(folder)
    return Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32).to(DEVICE).eval(), tokens.Vocabulary(folder / "tokenizer.json")


def export(model, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model.float().save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    shutil.copy(TOKENIZER, folder / "tokenizer.json")


def make_tokenizer():
    """Trains the tokenizer once; every later run uses the same file."""
    if TOKENIZER.exists():
        return
    from sound_data import WORDS
    rng, texts = np.random.default_rng(7), [" ".join(WORDS)] * 300
    for _ in range(TOKENIZER_PLANS):
        prompt, plan = grammar.sample_plan(rng)
        texts += [s.text for s in tokens.segments(prompt, plan, [[]] * len(plan["shots"])) if s.kind != "special"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    tokens.train_tokenizer(texts, TOKENIZER)


def blocked_attention(module, query, key, value, mask, scaling, **_):
    """Causal attention, block of queries by block: on a CPU about twice as fast in training as PyTorch's own. [b, heads, n, d] -> [b, n, heads, d]."""
    key, value = (x.repeat_interleave(module.num_key_value_groups, dim=1) for x in (key, value))
    query, count, out = query * scaling, query.shape[2], []
    for begin in range(0, count, QUERIES):
        end = min(count, begin + QUERIES)
        scores = query[:, :, begin:end] @ key[:, :, :end].transpose(2, 3)
        future = torch.full((end - begin, end), float("-inf"), dtype=scores.dtype, device=scores.device).triu(begin + 1)
        out.append(torch.softmax(scores + future, -1, dtype=scores.dtype) @ value[:, :, :end])
    return torch.cat(out, 2).transpose(1, 2), None


AttentionInterface.register("blocked", blocked_attention)


# --- data ---
@functools.lru_cache(maxsize=65536)
def word_phones(word, voice, spoken=speech.phones_of):
    return spoken(word, voice)


def word_by_word(text, voice):
    """A line's phones as those of its words, one after the other: five times as fast as the whole line, and near enough for a context that carries no loss."""
    phones, at = [], 0.0
    for word in text.split():
        spoken = word_phones(word, voice)
        phones += [speech.Phone(p.name, at + p.begin - spoken[0].begin, at + p.end - spoken[0].begin) for p in spoken]
        at = phones[-1].end if phones else 0.0
    return tuple(phones)


def produce(queue, seed):
    """Fills `queue` with (ids, loss mask) of fresh plans, in a process of its own."""
    os.nice(5)
    torch.set_num_threads(1)
    speech.phones_of = word_by_word
    vocabulary, rng = tokens.Vocabulary(TOKENIZER), np.random.default_rng(seed)
    while True:
        encoded = tokens.encode_plan(vocabulary, *grammar.sample_plan(rng))
        queue.put((np.array(encoded.ids, np.int16), np.array(encoded.loss)))


def batches(queue, budget, stages):
    """Batches of plans of like length, right-padded: ids [b, n] and targets [b, n], -1 where there is no choice.

    Plans cost about as much to make as to train on, so each is drawn a few times from a reservoir of the latest."""
    reservoir = []
    while True:
        longest, prompt = next(((n, p) for part, n, p in stages if budget.elapsed() < part * budget.seconds), (None, None))
        reservoir = (reservoir + [queue.get() for _ in range(FRESH if reservoir else POOL)])[-RESERVOIR:]
        chosen = reservoir[-FRESH:] + [reservoir[i] for i in np.random.randint(len(reservoir), size=POOL)]
        pool = sorted(((ids[:longest], loss[:longest]) for ids, loss in chosen if not prompt or loss[:prompt].any()), key=lambda s: len(s[0]))
        groups, group = [], []
        for sample in pool:
            if group and (len(group) + 1) * len(sample[0]) > BATCH_TOKENS:
                groups.append(group)
                group = []
            group.append(sample)
        groups.append(group)
        for i in np.random.permutation(len(groups)):
            yield collate(groups[i])


def collate(group):
    width = max(len(ids) for ids, _ in group)
    ids, targets = torch.zeros(len(group), width, dtype=torch.long), torch.full((len(group), width), -1)
    for i, (row, loss) in enumerate(group):
        row = torch.from_numpy(row.astype(np.int64))
        ids[i, :len(row)] = row
        targets[i, :len(row) - 1] = torch.where(torch.from_numpy(loss[1:]), row[1:], -1)
    return ids.to(DEVICE), targets.to(DEVICE)


# --- training ---
def choices(model, ids, targets):
    """Logits and targets at the positions that have a choice. Padding is on the right, so the causal mask alone suffices."""
    states = model.model(input_ids=ids, use_cache=False).last_hidden_state
    chosen = targets >= 0
    return model.lm_head(states[chosen]), targets[chosen]


@torch.no_grad()
def evaluate(model, vocabulary, samples):
    """Share of choices right by kind of segment, and of plans without one wrong choice, given the right plan so far."""
    model.eval()
    right, total, whole = collections.Counter(), collections.Counter(), 0
    for prompt, plan in samples:
        encoded = tokens.encode_plan(vocabulary, prompt, plan)
        ids, targets = collate([(np.array(encoded.ids), np.array(encoded.loss))])
        with autocast():
            logits, wanted = choices(model, ids, targets)
        hits = (logits.argmax(-1) == wanted).tolist()
        for kind, hit in zip((k for k, loss in zip(encoded.kinds, encoded.loss) if loss), hits):
            right[kind] += hit
            total[kind] += 1
        whole += all(hits)
    model.train()
    return {"whole": whole / len(samples), **{k: right[k] / total[k] for k in sorted(total)}}


def held_out(count, seed=EVAL_SEED):
    rng = np.random.default_rng(seed)
    return [grammar.sample_plan(rng) for _ in range(count)]


def train(budget_minutes=45, resume=None, out=None, seed=1):
    """Trains for `budget_minutes` and writes the planner to `out`. Goes on from the checkpoint `resume`, if one is given."""
    torch.manual_seed(seed)
    state = torch.load(resume, map_location=DEVICE, weights_only=False) if resume else {}
    if "tokenizer" in state and not TOKENIZER.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        TOKENIZER.write_text(state["tokenizer"])
    make_tokenizer()
    vocabulary = tokens.Vocabulary(TOKENIZER)
    model = build(vocabulary.size)
    model.set_attn_implementation("blocked")
    optimizer = Optimizer(model, lambda name: "proj" in name, 6e-3, 3e-3)
    step, checkpoint = state.get("step", 0), FOLDER / "checkpoint.pt"
    if state:
        model.load_state_dict(state["model"])
        optimizer.load(state["optimizer"])
    queue = multiprocessing.get_context("spawn").Queue(maxsize=256)
    producers = [started(produce, queue, seed * 1_000_003 + step + 7919 * i) for i in range(max(1, WORKERS))]
    log, budget, start = Log("planner"), Budget(budget_minutes), step
    test, seen, plans, last, mean = held_out(30), 0, 0, time.time(), None
    for ids, targets in batches(queue, budget, [] if start else STAGES):  # what goes on has seen the short ones
        with autocast():
            logits, wanted = choices(model, ids, targets)
        loss = torch.nn.functional.cross_entropy(logits.float(), wanted)
        loss.backward()
        optimizer.step(budget.rate(step - start))
        step, seen, plans = step + 1, seen + ids.numel(), plans + len(ids)
        mean = loss.item() if mean is None else 0.95 * mean + 0.05 * loss.item()
        if step % 50 == 0:
            log(stage="planner", step=step, minutes=budget.elapsed() / 60, loss=mean, tokens_per_second=round(seen / (time.time() - last)),
                samples_per_second=plans / (time.time() - last))
            seen, plans, last = 0, 0, time.time()
        if step % 250 == 0 or budget.spent():
            log(stage="planner", step=step, **evaluate(model, vocabulary, test))
            save(checkpoint, model=model.state_dict(), optimizer=optimizer.state(), step=step, tokenizer=TOKENIZER.read_text())
            last = time.time()
        if budget.spent():
            break
    for producer in producers:
        producer.terminate()
    if out:
        export(model, out)
    return model


# --- what the transformer is conditioned on ---
@torch.no_grad()
def tap_states(model, vocabulary, prompt, plan):
    """For each shot (states float32 [n, d], starts: None for an untimed row, seconds for a sound's), from one prefill of the plan."""
    encoded = tokens.encode_plan(vocabulary, prompt, plan)
    ids = torch.tensor([encoded.ids], device=next(model.parameters()).device)
    states = model.model(input_ids=ids, use_cache=False, output_hidden_states=True).hidden_states[TAP_LAYER][0].float().cpu()
    return [(states[rows + sounds], [None] * len(rows) + starts) for rows, sounds, starts in encoded.shots]
