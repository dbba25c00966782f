import threading

from seqdemo.bounded import ENTRY_BYTES, Bounded


def test_what_is_kept_never_takes_more_than_was_allowed():
    kept = Bounded(10_000)
    for n in range(1_000):
        kept.put(n, "value", 200)
        assert kept.n_bytes <= 10_000
    assert len(kept) == 10_000 // (200 + ENTRY_BYTES)


def test_the_least_recently_used_is_forgotten_first():
    kept = Bounded(3 * (100 + ENTRY_BYTES))
    for key in "abc":
        kept.put(key, key.upper(), 100)
    assert kept.get("a") == "A"
    kept.put("d", "D", 100)
    assert [kept.get(key) for key in "abcd"] == ["A", None, "C", "D"]


def test_one_entry_larger_than_all_that_may_be_kept_is_not_kept():
    kept = Bounded(1_000)
    kept.put("small", 1, 10)
    kept.put("large", 2, 5_000)
    assert (kept.get("small"), kept.get("large")) == (1, None)


def test_a_value_put_again_takes_the_place_of_the_earlier_one():
    kept = Bounded(10_000)
    kept.put("a", 1, 500)
    kept.put("a", 2, 700)
    assert (kept.get("a"), len(kept), kept.n_bytes) == (2, 1, 700 + ENTRY_BYTES)
    kept.put("a", 3, 50_000)
    assert (kept.get("a"), kept.n_bytes) == (None, 0)


def test_many_threads_share_it():
    kept = Bounded(20_000)

    def work(start):
        for n in range(2_000):
            kept.put((start + n) % 300, n, 50)
            kept.get(n % 300)

    threads = [threading.Thread(target=work, args=(k * 100,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.n_bytes == len(kept) * (50 + ENTRY_BYTES) <= 20_000
