"""The baseline that reads no order beyond pairs of neighbours: TF-IDF of words and word pairs, and logistic regression.

It counts the same tokens that the five models read, of the whole review. Trains on
IMDB's 25,000 training reviews, measures on its 25,000 test reviews and, by kind, on the reviews
as people type them (`seqdemo/data/typed_reviews.csv`), and writes what it found to
`pretrained/studies/bag_of_words.json`, where the accuracy tables of the pages read it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import pathlib
import platform
import sys
import time

import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from seqdemo.checkpoints import manifest  # noqa: E402
from seqdemo.data import imdb, typed_reviews  # noqa: E402
from seqdemo.errors import DataError  # noqa: E402
from seqdemo.studies.results import BASELINE_SUMMARY  # noqa: E402
from seqdemo.studies.typed_reviews import count, words  # noqa: E402
from seqdemo.text import tokenize  # noqa: E402

VECTORS = {"min_df": 3, "sublinear_tf": True}
REGRESSION = {"C": 10.0, "max_iter": 1000, "tol": 1e-6}
"""The default tolerance stops so early that a change of three features moves the accuracy by 0.3 points."""


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, JASA 1927)."""
    z = 1.959964
    middle = (n_right + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(n_right * (n - n_right) / n + z * z / 4)
    return middle - half, middle + half


def words_and_pairs(text: str) -> list[str]:
    """The tokens of a text and its pairs of neighbours."""
    words = [token.text for token in tokenize(text)]
    return words + [f"{first} {second}" for first, second in itertools.pairwise(words)]


def measure(folder: str | None) -> dict[str, object]:
    """Trains and tests the baseline once.

    Args:
        folder: The data set's folder; None for `SEQDEMO_IMDB` or the Hub.

    Returns:
        What the study's file holds.
    """
    train, test, typed = imdb.load("train", folder), imdb.load("test", folder), typed_reviews.load()
    started = time.perf_counter()
    vectorizer = TfidfVectorizer(analyzer=words_and_pairs, **VECTORS)
    regression = LogisticRegression(**REGRESSION)
    regression.fit(vectorizer.fit_transform(train.texts), train.labels)
    n_right = int((regression.predict(vectorizer.transform(test.texts)) == test.labels).sum())
    seconds = time.perf_counter() - started
    called_positive = regression.predict(vectorizer.transform([line.text for line in typed])) == 1
    return {
        "name": "bag_of_words",
        "label": "Bag of words",
        "summary": BASELINE_SUMMARY,
        "test_accuracy": n_right / len(test),
        "test_interval": list(wilson_interval(n_right, len(test))),
        "test_n": len(test),
        "parameters": regression.coef_.size + regression.intercept_.size,
        "seconds": round(seconds, 1),
        "typed_reviews": {
            "lines_sha256": typed_reviews.sha256(typed),
            "counts": count(typed, [bool(positive) for positive in called_positive]),
        },
        "settings": {
            "features": "TF-IDF of tokens and token pairs",
            **VECTORS,
            "classifier": "logistic regression",
            **REGRESSION,
        },
        "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__},
    }


def main() -> None:
    """Reads the command line, measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="DIR", help="a local copy of the data set (SEQDEMO_IMDB, else the Hub)")
    parser.add_argument(
        "--out", type=pathlib.Path, default=ROOT / "pretrained" / "studies" / "bag_of_words.json", metavar="FILE"
    )
    arguments = parser.parse_args()
    try:
        found = measure(arguments.data)
    except DataError as error:
        sys.exit(str(error))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    manifest.follow(arguments.out.parent, arguments.out.name)
    low, high = found["test_interval"]
    print(f"{'':14}  test accuracy  95 % interval     parameters  seconds")
    print(
        f"{found['label']:14}  {found['test_accuracy']:13.1%}  {low:.1%} to {high:.1%}  "
        f"{found['parameters']:10,}  {found['seconds']:7.1f}"
    )
    print("\nReviews as people type them", *words(found["label"], found["typed_reviews"]["counts"]), sep="\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
