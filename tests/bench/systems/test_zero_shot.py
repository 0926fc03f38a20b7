"""Networks of pictures and texts: the prompts of every language, and the probabilities of the network itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btfer.bench.datasets import ImageSet, load_release
from btfer.bench.systems.model_file import answers_of, score_network
from btfer.bench.systems.networks import AskedNetwork, open_network
from btfer.bench.systems.prompts import Prompts, read_prompts
from btfer.bench.systems.zero_shot import class_directions
from btfer.errors import UsageError
from btfer.expressions import EXPRESSIONS
from btfer.paths import bundled
from tests.bench.conftest import draw_release
from tests.bench.systems.test_same_probabilities import need_torch, opened

QUERIES = bundled("queries")
ONE_EACH = Prompts("en", tuple((f"a face of {name}",) for name in EXPRESSIONS))


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    return load_release(draw_release(tmp_path / "release", 2))


def test_every_language_of_the_plan_has_its_prompts() -> None:
    for file in (QUERIES / "languages").glob("*.toml"):
        prompts = read_prompts(QUERIES, file.stem)
        sentences = [one for of_class in prompts.sentences for one in of_class]
        assert len(prompts.sentences) == 7
        assert {len(of_class) for of_class in prompts.sentences} == {6}
        assert len(set(sentences)) == 42
        assert not any("{" in one for one in sentences)


def test_prompts_of_the_own_plan_come_first_and_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no prompts in 'xx'; it has en, es"):
        read_prompts(tmp_path, "xx")
    words = "\n".join(f'{name} = ["{name}"]' for name in EXPRESSIONS)
    own = tmp_path / "prompts.toml"
    own.write_text(f'[xx]\ntemplates = ["the {{}} face"]\n{words}\n')
    assert read_prompts(tmp_path, "xx").sentences[0] == ("the angry face",)
    for text, told in {
        f"[xx]\n{words}": r"prompts.toml:1: 'templates' is missing in \[xx\]",
        f'[xx]\ntemplates = ["face"]\n{words}': "prompts.toml:2: a template needs {} once",
        f'[xx]\ntemplates = ["{{}}"]\n{words}\nbored = [""]': "prompts.toml:10: unknown key 'bored'",
        f'[xx]\ntemplates = "{{}}"\n{words}': "must be a list of texts",
        "xx = 3": "'xx' must be a table",
    }.items():
        own.write_text(text)
        with pytest.raises(UsageError, match=told):
            read_prompts(tmp_path, "xx")
    own.unlink()
    own.symlink_to(own.name)  # one that cannot be read is not taken for none
    with pytest.raises(UsageError, match="cannot be read"):
        read_prompts(tmp_path, "en")


def test_a_class_is_the_mean_direction_of_its_sentences() -> None:
    found = class_directions([np.array([[2.0, 0], [0, 5.0]]), np.array([[0, 3.0]])])
    assert np.allclose(found, [[0.5**0.5, 0.5**0.5], [0, 1]])


SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
GERMAN = {
    word
    for of_class in read_prompts(QUERIES, "de").sentences
    for one in of_class
    for word in one.split()
}
WORDS = [
    "<unk>",
    "<s>",
    "</s>",
    "a",
    "face",
    "of",
    *EXPRESSIONS,
    *sorted(GERMAN - {"a", "face", "of", *EXPRESSIONS}),
]


def tokenizer_of_words(**options: Any) -> Any:
    """A tokenizer of a few words."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {word: n for n, word in enumerate(WORDS)}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("<s>", 1), ("</s>", 2)]
    plain.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=ends)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="</s>",
        **options,
    )


def clip_folder(folder: Path) -> Any:
    """A tiny CLIP with a tokenizer of a few words."""
    transformers = pytest.importorskip("transformers")
    import torch

    tokenizer = tokenizer_of_words()
    text = SMALL | {
        "vocab_size": len(WORDS),
        "eos_token_id": 2,
        "bos_token_id": 1,
        "pad_token_id": 2,
    }
    torch.manual_seed(3)
    config = transformers.CLIPConfig(
        text_config=text,
        vision_config=SMALL | {"image_size": 32, "patch_size": 16},
        projection_dim=8,
    )
    network = transformers.CLIPModel(config).eval()
    size = {"shortest_edge": 32}
    processor = transformers.CLIPImageProcessor(size=size, crop_size=32)
    for one in (network, tokenizer, processor):
        one.save_pretrained(folder)
    return network, tokenizer, processor


@pytest.mark.filterwarnings("ignore")
def test_a_clip_says_here_what_it_says_itself(images: ImageSet, tmp_path: Path) -> None:
    need_torch()
    import torch

    network, tokenizer, processor = clip_folder(tmp_path / "clip")
    sentences = [one for [one] in ONE_EACH.sentences]
    with torch.inference_mode():
        given = processor(images=opened(images), return_tensors="pt")
        texts = tokenizer(sentences, padding=True, return_tensors="pt")
        known = {name: texts[name] for name in ("input_ids", "attention_mask")}
        own = network(**known, **given).logits_per_image.softmax(dim=1).numpy()
    asked = AskedNetwork(tmp_path / "clip", prompts=lambda: ONE_EACH)
    found = answers_of(open_network(asked), images, tmp_path / "cache")
    assert np.ptp(own, axis=0).max() > 1e-3
    assert np.abs(found.probabilities - own).max() < 1e-5
    for language in ("en", "de"):
        asked = AskedNetwork(
            tmp_path / "clip", prompts=lambda code=language: read_prompts(QUERIES, code), language=language
        )  # fmt: skip
        record = score_network(tmp_path / "runs", asked, "", images)
        assert record.definition.architecture == f"clip ({language})"
    assert len(list((tmp_path / "runs").glob("*/run.json"))) == 2


def siglip_folder(folder: Path, tokens: int) -> Any:
    """A tiny SigLIP whose texts are of at most `tokens` tokens."""
    transformers = pytest.importorskip("transformers")
    import torch

    # As that of SigLIP, which learnt without a mask.
    tokenizer = tokenizer_of_words(model_input_names=["input_ids"])
    text = SMALL | {"vocab_size": len(WORDS), "max_position_embeddings": tokens}
    ends = {"eos_token_id": 2, "bos_token_id": 1, "pad_token_id": 2}
    torch.manual_seed(3)
    config = transformers.SiglipConfig(
        text_config=text | ends, vision_config=SMALL | {"image_size": 32, "patch_size": 16}
    )
    network = transformers.SiglipModel(config).eval()
    with torch.inference_mode():
        network.logit_scale.fill_(3.0)
        network.logit_bias.fill_(-1.0)
    processor = transformers.SiglipImageProcessor(size={"height": 32, "width": 32})
    for one in (network, tokenizer, processor):
        one.save_pretrained(folder)
    return network, tokenizer, processor


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tokens", [16, 64])
def test_a_siglip_says_here_what_it_says_itself(
    images: ImageSet, tmp_path: Path, tokens: int
) -> None:
    need_torch()
    import torch

    network, tokenizer, processor = siglip_folder(tmp_path / "siglip", tokens)
    sentences = [one for [one] in ONE_EACH.sentences]
    filled = {"padding": "max_length", "max_length": tokens, "return_tensors": "pt"}
    with torch.inference_mode():
        given = processor(images=opened(images), return_tensors="pt")
        own = (
            network(**tokenizer(sentences, **filled), **given)
            .logits_per_image.softmax(dim=1)
            .numpy()
        )
    asked = AskedNetwork(tmp_path / "siglip", prompts=lambda: ONE_EACH)
    found = answers_of(open_network(asked), images, tmp_path / "cache")
    assert np.ptp(own, axis=0).max() > 1e-4
    assert np.abs(found.probabilities - own).max() < 1e-5


@pytest.mark.filterwarnings("ignore")
def test_a_name_of_ones_own_keeps_the_language(images: ImageSet, tmp_path: Path) -> None:
    need_torch()
    clip_folder(tmp_path / "clip")
    for language in ("en", "de"):
        asked = AskedNetwork(
            tmp_path / "clip", prompts=lambda code=language: read_prompts(QUERIES, code), language=language
        )  # fmt: skip
        record = score_network(tmp_path / "runs", asked, "mine", images)
        assert record.definition.architecture == f"mine ({language})"


@pytest.mark.filterwarnings("ignore")
def test_a_folder_that_lacks_a_part_is_refused_before_anything_is_made_up(tmp_path: Path) -> None:
    need_torch()
    asked = AskedNetwork(tmp_path / "clip", prompts=lambda: ONE_EACH)
    for lacking, told in (
        ("tokenizer.json", "has no tokenizer"),
        ("preprocessor_config.json", r"has no preprocessor_config\.json"),
        ("model.safetensors", "clip cannot be read: .*model.safetensors"),
    ):
        clip_folder(tmp_path / "clip")
        (tmp_path / "clip" / lacking).unlink()
        with pytest.raises(UsageError, match=told):
            open_network(asked)
    clip_folder(tmp_path / "clip")
    file = tmp_path / "clip" / "tokenizer.json"
    found = json.loads(file.read_text())
    found["model"]["vocab"] = {"<unk>": 0, "<s>": 1, "</s>": 2}
    file.write_text(json.dumps(found))
    with pytest.raises(UsageError, match="reads the prompts of all classes alike"):
        open_network(asked)


@pytest.mark.filterwarnings("ignore")
def test_an_open_clip_says_here_what_it_says_itself(images: ImageSet, tmp_path: Path) -> None:
    need_torch()
    open_clip = pytest.importorskip("open_clip")
    import torch
    from safetensors.torch import save_file

    tower = {"layers": 1, "width": 64}
    model = {
        "embed_dim": 16,
        "vision_cfg": tower | {"image_size": 32, "patch_size": 16, "head_width": 32},
        "text_cfg": tower | {"context_length": 77, "vocab_size": 49408, "heads": 2},
    }
    torch.manual_seed(3)
    network = open_clip.CLIP(**model).eval()
    folder = tmp_path / "open-clip"
    folder.mkdir()
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    prepared = {"size": 32, "mean": [0.5, 0.4, 0.3], "std": [0.3, 0.3, 0.3]}
    config = {"model_cfg": model, "preprocess_cfg": prepared}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")[2]
    with torch.inference_mode():
        pictures = torch.stack([transform(one) for one in opened(images)])
        texts = open_clip.tokenize([one for [one] in ONE_EACH.sentences])
        own = network(pictures, texts)
        own = (own[2] * own[0] @ own[1].T).softmax(dim=1).numpy()
    asked = AskedNetwork(folder, prompts=lambda: ONE_EACH)
    found = answers_of(open_network(asked), images, tmp_path / "cache")
    assert np.ptp(own, axis=0).max() > 1e-3
    assert np.abs(found.probabilities - own).max() < 1e-5
    weights = folder / "open_clip_model.safetensors"
    weights.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UsageError, match="is only a pointer of Git LFS"):
        open_network(asked)
    weights.unlink()
    with pytest.raises(UsageError, match="has no weights: a file"):
        open_network(asked)
