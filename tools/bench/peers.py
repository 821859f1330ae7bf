"""Times kernels of Fabula and of PyTorch at the same sizes, alternately, in one run.

    peers.py FABULA [--threads 1] [--seconds 0.3]      (needs torch)
    peers.py LM_BENCH --lm FILE.gguf [--threads 1]     (needs xllamacpp)

With --lm it times a language model instead: `lm_bench`, which widens the file's blocks as it loads them, in each precision, and llama.cpp on the blocks as they
are; processor time a token of a prompt of 512 tokens, and of 24 tokens behind it one after another. llama.cpp runs before and after; its better times count.

FABULA is the program. Prints a table: op, size, what each of the two reached, their ratio, and the share of the machine's own peak (`fabula bench`). PyTorch
is timed before and after Fabula, and its better time counts. PyTorch's bf16 products and attention read and write bf16; Fabula's read and write float32.
"""

import argparse
import json
import re
import resource
import subprocess
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError:  # --lm needs none
    torch = F = None


def randn(*shape, dtype=None):
    """Uniform values in [-0.5, 0.5), so that no sum becomes large; float32 unless said."""
    return (torch.rand(*shape) - 0.5).to(dtype or torch.float32)


def linear(rows, k, n, dtype):
    """A product of x [rows, k] and weight [n, k] transposed."""
    x, weight = randn(rows, k, dtype=dtype), randn(n, k, dtype=dtype)
    return lambda: F.linear(x, weight)


def attention(rows, heads, dim, dtype):
    """Self-attention of one sequence [1, heads, rows, dim]."""
    q, k, v = (randn(1, heads, rows, dim, dtype=dtype) for _ in range(3))
    return lambda: F.scaled_dot_product_attention(q, k, v)


def conv3d(channels, out_channels, height, width):
    """A 3 x 3 x 3 convolution without padding: two frames of height x width from four padded ones."""
    x, weight = randn(1, channels, 4, height + 2, width + 2), randn(out_channels, channels, 3, 3, 3)
    return lambda: F.conv3d(x, weight)


def conv1d(channels, length, taps):
    """A convolution over [1, channels, length] that keeps the length; `taps` is odd."""
    x, weight = randn(1, channels, length), randn(channels, channels, taps)
    return lambda: F.conv1d(x, weight, padding=taps // 2)


def conv_transpose1d(channels, length, stride):
    """Upsampling of [1, channels, length] by `stride`, with half as many channels."""
    x, weight = randn(1, channels, length), randn(channels, channels // 2, 2 * stride)
    return lambda: F.conv_transpose1d(x, weight, stride=stride, padding=stride // 2)


def rms_norm(rows, width):
    """RMS norm of each row of [rows, width]."""
    x, weight = randn(rows, width), randn(width)
    return lambda: F.rms_norm(x, (width,), weight, 1e-6)


def group_norm(channels, height, width):
    """Group norm of two frames in 8 groups of channels, then SiLU."""
    x, weight = randn(2, channels, height, width), randn(channels)
    return lambda: F.silu(F.group_norm(x, 8, weight, weight, 1e-6))


OPS = {"linear f32": lambda *size: linear(*size, torch.float32), "linear bf16": lambda *size: linear(*size, torch.bfloat16),
       "attention f32": lambda *size: attention(*size, torch.float32), "attention bf16": lambda *size: attention(*size, torch.bfloat16),
       "conv3d f32": conv3d, "conv1d f32": conv1d, "conv_transpose1d f32": conv_transpose1d, "rms_norm": rms_norm, "group_norm silu": group_norm}


def fastest(call, seconds):
    """The shortest time of a call, in seconds, as `fabula bench` takes it."""
    call()
    best, calls, end = float("inf"), 0, time.perf_counter() + seconds
    while calls < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        calls += 1
    return best


def torch_times(rows, seconds):
    """{(op, size): seconds} for those rows of `fabula bench` whose op PyTorch has."""
    known = [row for row in rows if row["op"] in OPS]
    return {(row["op"], row["size"]): fastest(OPS[row["op"]](*map(int, row["size"].split(" x "))), seconds) for row in known}


def llama_times(file, threads, prompt=512, written=24):
    """Milliseconds of processor time a token that llama.cpp takes for a prompt and for writing behind it, as `lm_bench` measures its own."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = file
    params.n_ctx, params.n_batch, params.n_ubatch, params.n_parallel = 1024, prompt, prompt, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)

    def work(count, keeps_prompt):
        start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        server.handle_completions({"prompt": [i * 37 % 49152 for i in range(prompt)], "n_predict": count, "temperature": 0, "ignore_eos": True,
                                   "cache_prompt": keeps_prompt})
        return 1e3 * (resource.getrusage(resource.RUSAGE_SELF).ru_utime - start)

    # With the prompt kept, each token that is written is one evaluation: the prompt's last token is read again for the first.
    runs = [(work(1, False), work(written, True)) for _ in range(2)]
    return min(first for first, _ in runs) / prompt, min(second for _, second in runs) / written


def compare_language_models(options):
    """Prints the table of --lm."""
    before = llama_times(options.lm, options.threads)
    rows = []
    for precision in ("int8", "bf16", "fp32"):
        command = [options.fabula, options.lm, precision, str(options.threads)]
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        rows.append((f"Fabula, {precision}", *map(float, re.search(r"prefill ([\d.]+) ms, decode ([\d.]+) ms", said).groups())))
    theirs = [min(pair) for pair in zip(before, llama_times(options.lm, options.threads), strict=True)]
    print("| | prompt, ms a token | of it a second | writing, ms a token | of it a second |\n|---|---|---|---|---|")
    for name, prefill, decode in [*rows, ("llama.cpp", *theirs)]:
        print(f"| {name} | {prefill:.2f} | {1e3 / prefill:.0f} | {decode:.2f} | {1e3 / decode:.1f} |")


def compare_kernels(options):
    """Runs both and prints the table."""
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    command = [options.fabula, "bench", "--kernels", "--json", "--threads", str(options.threads), "--seconds", str(options.seconds)]
    rows = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["rows"]  # the sizes, and a warm machine
    before = torch_times(rows, options.seconds)
    ours = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    after = torch_times(rows, options.seconds)
    print(f"{ours['processor']}, {ours['threads']} thread(s), peak {ours['peak']['float32_gops']:.0f} Gop/s of float32 and "
          f"{ours['peak']['memory_gbps']:.1f} GB/s; PyTorch {torch.__version__}\n")
    print("| op | size | Fabula | of the peak | PyTorch | Fabula is |\n|---|---|---|---|---|---|")
    for row in ours["rows"]:
        key = (row["op"], row["size"])
        share = f"{100 * row['share_of_peak']:.0f} %" if "share_of_peak" in row else ""
        if key in before:
            theirs = min(before[key], after[key])
            peer, ratio = f"{row['achieved'] * row['seconds'] / theirs:.1f}", f"{theirs / row['seconds']:.2f} ×"
        else:
            peer = ratio = ""
        print(f"| {row['op']} | {row['size']} | {row['achieved']:.1f} {row['unit']} | {share} | {peer} | {ratio} |")


def main():
    """Compares what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fabula")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--lm", metavar="FILE.gguf")
    options = parser.parse_args()
    if options.lm:
        compare_language_models(options)
    else:
        compare_kernels(options)


if __name__ == "__main__":
    main()
