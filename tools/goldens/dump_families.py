"""Dumps small random checkpoints of families other than Qwen3: states, tokens and conversations as transformers makes them.

    python dump_families.py OUT

OUT/{qwen2,smollm2,llama3} are complete folders: Qwen2 with its biases and pattern; Llama as in SmolLM2 (no biases, a tied head, GPT-2's pattern with single
digits); and Llama as in Llama 3 (rope of type llama3, up to three digits in a word, words that are tokens without merges). case_prefill_and_greedy holds what
golden_check reads, cases.json the ids of texts, chat.json conversations. The templates are ours and render these conversations as the published ones do.
"""
import argparse
import json
import pathlib
import shutil

import tokenizers
import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from dump_language_models import randomised, write_case

SEED, MERGED = 20261130, 512
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
TEXTS = ["", " ", "a", "Hello, world!", "A red fox walks in the forest.", "I'll we've DON'T it's 'S 'll 'twas I'M", "tabs\tand\n\nnewlines \r\n end  ",
         "   leading and   inner    spaces   ", "1234567890 3.14 v2.0 2026-11-23 a 12 b12c 1", '{"id":"s001","start_ms":1200,"cast":[{"id":"fox"}]}',
         "小狐狸在森林里散步。", "é vs é (NFC) ﬁ", "🦊🐇👩‍👩‍👧 🏳️‍🌈", "<|im_start|>user\nx<|im_end|>\n", "x<|eot_id|>y<|end_of_text|>",
         "Лиса бежит. キツネ 여우", "\u00a0non\u00a0breaking\u2003em\u200bzero",
         "a\u0000b\u0007c", "….—–“”‘’", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\n", "\r\n\r\n",
         "  \n  \n", "٣٤٥ ½ Ⅷ ² 12½4", "..\n\n!\r\n x", "a \n b", "wholewordtoken and then", "\u017ft don'\u017f"]

CHATML = """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}\
{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}\
{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""
HEADERS = """{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content'] | trim %}{%- set rest = messages[1:] %}\
{%- else %}{%- set system_message = '' %}{%- set rest = messages %}{%- endif %}\
{{- bos_token }}{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}{{- 'Cutting Knowledge Date: December 2023\\n' }}\
{{- 'Today Date: ' + date_string + '\\n\\n' }}{{- system_message }}{{- '<|eot_id|>' }}\
{%- for message in rest %}{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}\
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"""
HEADERS_WITHOUT_DATES = """{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' \
+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}\
{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"""
QUESTIONS = [{"system": "Be brief.", "user": "A fox runs."},
             {"system": "You direct films.\nOnly these can be filmed: a fox, a crab.", "user": "Zwei Füchse -- it's raining! \"Really?\" <b>42</b>"},
             {"system": "", "user": "A fox runs 1234 miles."}]
SIZE = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 16384}


def trained(pattern: str | None, special: list[str], corpus: list[str]) -> Tokenizer:
    """A byte-level BPE that splits words by `pattern`; None: single digits, and GPT-2's pattern between them."""
    made = Tokenizer(models.BPE())
    if pattern is None:
        made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                      pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    else:
        made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                                      pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    made.decoder = decoders.ByteLevel()
    if pattern == QWEN:
        made.normalizer = normalizers.NFC()
    made.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=MERGED, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    made.add_special_tokens(special)
    return made


def with_a_whole_word(made: Tokenizer) -> Tokenizer:
    """The tokenizer with `ignore_merges` and with a word that no merge builds, as in Llama 3."""
    parsed = json.loads(made.to_str())
    word = "wholewordtoken"
    last = max(parsed["model"]["vocab"].values())
    for token in parsed["added_tokens"]:
        token["id"] += 1
    parsed["model"]["vocab"][word] = last + 1
    parsed["model"]["ignore_merges"] = True
    return Tokenizer.from_str(json.dumps(parsed))


def write_tokenizer(folder: pathlib.Path, made: Tokenizer, template: str, bos: str | None) -> PreTrainedTokenizerFast:
    """Writes tokenizer.json, tokenizer_config.json and cases.json (the ids of TEXTS). Returns the tokenizer for transformers."""
    (folder / "tokenizer.json").write_text(json.dumps(json.loads(made.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": bos, "chat_template": template}, indent=1) + "\n")
    cases = []
    for text in TEXTS:
        ids = made.encode(text, add_special_tokens=False).ids
        cases.append({"text": text, "ids": ids, "decoded": made.decode(ids, skip_special_tokens=False),
                      "decoded_skip_special": made.decode(ids, skip_special_tokens=True)})
    (folder / "cases.json").write_text(json.dumps({"what": f"ids of tokenizers {tokenizers.__version__}", "cases": cases}, ensure_ascii=False) + "\n")
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token=bos)


def write_chats(folder: pathlib.Path, tokenizer: PreTrainedTokenizerFast, templates: list[str]) -> None:
    """Writes chat.json: QUESTIONS through each template."""
    cases = []
    for template in templates:
        for question in QUESTIONS:
            if not question["system"] and template == CHATML:
                continue  # Fabula leaves the template's own system turn out
            messages = ([{"role": "system", "content": question["system"]}] if question["system"] else []) + [{"role": "user", "content": question["user"]}]
            text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024")
            cases.append({"template": template, **question, "text": text, "ids": tokenizer.encode(text, add_special_tokens=False)})
    made = {"made_with": {"transformers": transformers.__version__}, "cases": cases}
    (folder / "chat.json").write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n")


def family(out: pathlib.Path, name: str, made: Tokenizer, templates: list[str], bos: str | None, build) -> None:
    """Writes a complete folder OUT/NAME. `build` makes the model for a vocabulary size."""
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    vocabulary = made.get_vocab_size()
    model = randomised(build(vocabulary))
    write_case(folder, model, torch.randint(0, vocabulary, (1, 40)), 2, {"part": name, "what": "prefill, greedy text"}, {})
    write_chats(folder, write_tokenizer(folder, made, templates[0], bos), templates)
    ends = [made.token_to_id(token) for token in ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>") if made.token_to_id(token) is not None]
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ends}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    root = pathlib.Path(__file__).parents[2]
    corpus = [(root / file).read_text() for file in ("CONTRIBUTING.md", "LICENSE")] + TEXTS
    im, headers = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
                                                                    "<|eot_id|>"]
    plain = {"rope_theta": 10000.0, "rope_type": "default"}
    scaled = {"rope_theta": 500000.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
              "original_max_position_embeddings": 32}
    none = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    family(out, "qwen2", trained(QWEN, im, corpus), [CHATML], None, lambda v: Qwen2ForCausalLM(Qwen2Config(
        vocab_size=v, **SIZE, **none, tie_word_embeddings=False, rope_parameters=plain)))
    family(out, "smollm2", trained(None, im, corpus), [CHATML], None, lambda v: LlamaForCausalLM(LlamaConfig(
        vocab_size=v, **SIZE, **none, tie_word_embeddings=True, rope_parameters=plain)))
    family(out, "llama3", with_a_whole_word(trained(LLAMA3, headers, corpus)), [HEADERS, HEADERS_WITHOUT_DATES], "<|begin_of_text|>",
           lambda v: LlamaForCausalLM(LlamaConfig(vocab_size=v, **SIZE, **none, head_dim=16, attention_bias=True, tie_word_embeddings=False,
                                                  rope_parameters=scaled)))


if __name__ == "__main__":
    main()
