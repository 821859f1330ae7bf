"""Times plan writing: Fabula under its grammar, against transformers' `generate` (greedy, with a cache) on the same model, threads and number of tokens.

    python tools/train/run.py bench-planner BUNDLE --fabula build/cpu-release/bin/fabula [--threads 2] [--prompts 8] [--repeats 3]

Both take turns on each prompt within one run. A prompt's time is the median of the repeats, a row is the sum over prompts. Tokens are those of the plan's
stream (docs/BUNDLE.md) from the model's first choice on; transformers writes the same number without a grammar. If the executable has `fabula plan --stats`,
its seconds of decoding alone are used; otherwise the time is that of the whole program, loading included, and the table says so.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

import torch
from transformers import Qwen3ForCausalLM

from prompts import tokens
from world import editions

PROMPTS = editions.ROOT / "assets/prompts/prompts.json"


def time_fabula(fabula: pathlib.Path, bundle: pathlib.Path, prompt: str, flags: list[str]) -> tuple[float, dict, dict]:
    """(seconds, the plan, the --stats record or {}) of one `fabula plan`."""
    start = time.perf_counter()
    run = subprocess.run([fabula, "plan", "-", "--model", str(bundle), *flags], input=prompt, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    stats = next((json.loads(line) for line in run.stderr.splitlines() if line.startswith('{"') and '"passes"' in line), {})
    return stats.get("seconds", seconds), json.loads(run.stdout), stats


def time_transformers(model, ids: list[int], count: int) -> float:
    """Seconds that transformers takes for `count` tokens after `ids`."""
    given = torch.tensor([ids])
    start = time.perf_counter()
    out = model.generate(given, attention_mask=torch.ones_like(given), max_new_tokens=count, min_new_tokens=count, do_sample=False, use_cache=True,
                         pad_token_id=0)
    assert out.shape[1] == len(ids) + count
    return time.perf_counter() - start


def median(times: list[tuple]) -> tuple:
    """The tuple with the median first element."""
    return sorted(times, key=lambda t: t[0])[len(times) // 2]


def mask_timings(folder: pathlib.Path) -> list[str]:
    """Lines on the duration of the grammar's masks in µs, if `grammar_bench` is beside the executable."""
    if not (folder / "grammar_bench").exists():
        return []
    run = subprocess.run([folder / "grammar_bench", "--benchmark_format=json", "--benchmark_min_time=0.2", "--benchmark_filter=^mask"], capture_output=True,
                         text=True)
    if run.returncode:
        return []
    scale = {"ns": 1e-3, "us": 1.0, "ms": 1e3}
    rows = [f"| {b['name']} | {b['real_time'] * scale[b['time_unit']]:.2f} |" for b in json.loads(run.stdout)["benchmarks"]]
    return ["", "What a mask of the grammar costs (`grammar_bench`; the number is the size of the vocabulary):", "", "| mask | µs a token |", "|---|---|",
            *rows]


@torch.inference_mode()
def table(fabula: pathlib.Path, bundle: pathlib.Path, prompts: list[str], threads: int, repeats: int = 3) -> str:
    """The Markdown section on decoding speed."""
    torch.set_num_threads(threads)
    vocabulary = tokens.Vocabulary(bundle / "planner/tokenizer.json")
    has_stats = "--stats" in subprocess.run([fabula, "plan", "--help"], capture_output=True, text=True).stdout
    lines, shares = [], []
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        model = Qwen3ForCausalLM.from_pretrained(bundle / "planner", torch_dtype=dtype).eval()
        model.generation_config.eos_token_id = None
        flags = ["--threads", str(threads), "--precision", precision] + ["--stats"] * has_stats
        count, ours, theirs, sums = 0, 0.0, 0.0, {}
        for prompt in prompts:
            _, plan, _ = time_fabula(fabula, bundle, prompt, flags)
            encoded = tokens.encode_plan(vocabulary, plan["prompt"], plan)
            first = encoded.loss.index(True)
            new = len(encoded.ids) - first
            time_transformers(model, encoded.ids[:first], 8)
            turns = [(time_fabula(fabula, bundle, prompt, flags), time_transformers(model, encoded.ids[:first], new)) for _ in range(repeats)]
            seconds, _, stats = median([t[0] for t in turns])
            count, ours, theirs = count + new, ours + seconds, theirs + statistics.median(t[1] for t in turns)
            for key, value in (stats or {"chosen": sum(encoded.loss), "forced": len(encoded.ids) - first - sum(encoded.loss)}).items():
                sums[key] = sums.get(key, 0) + value
        lines += [f"| {precision} | {count} | {count / ours:.0f} | {count / theirs:.0f} | {theirs / ours:.1f} × |"]
        share = f"| {precision} | {100 * sums['forced'] / max(1, sums['forced'] + sums['chosen']):.0f} % |"
        if "passes" in sums:
            share += f" {sums['passes']} | {sums.get('accepted', 0) / max(1, sums['passes']):.2f} | {sums.get('accepted', 0)} of {sums.get('drafted', 0)} |"
        else:
            share += " – | – | – |"
        shares.append(share)
    load = os.getloadavg()[0]
    how = "seconds of decoding (`--stats`)" if has_stats else "seconds of the whole program, loading of the model included, for this program has no `--stats`"
    return "\n".join(["## How fast plans are written", "",
                      f"{len(prompts)} of the prompts, {threads} thread{'s' * (threads > 1)}, {how}; transformers' `generate`, greedy with a cache, "
                      f"writes as many tokens of the same model. Taken in turns in one run, the median of {repeats}; "
                      f"the machine's load was {load:.1f} on {os.cpu_count()} processors"
                      + (", so these figures say little about a free one." if load > os.cpu_count() + 1 else "."), "",
                      "| precision | tokens | fabula, tokens/s | transformers, tokens/s | fabula is |", "|---|---|---|---|---|", *lines, "",
                      "*Forced* tokens are written without a question to the model; *accepted* are those read ahead that the model would have chosen.", "",
                      "| precision | forced | passes | accepted a pass | accepted of drafted |", "|---|---|---|---|---|", *shares, *mask_timings(fabula.parent),
                      ""]) + "\n"


def main() -> None:
    """`run.py bench-planner`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("--fabula", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompts", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    cases = json.loads(PROMPTS.read_text())
    texts = [c["prompt"] for c in cases if c["id"].startswith(("plain", "short", "long"))]
    print(table(options.fabula, options.bundle, texts[:options.prompts], options.threads, options.repeats))
