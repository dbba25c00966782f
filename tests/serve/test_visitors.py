import time

from seqdemo.serve.visitors import MAX_BYTES, Visitors


def test_each_session_gets_a_token_that_cannot_be_guessed():
    visitors = Visitors()
    tokens = {visitors.mint() for _ in range(100)}
    assert len(tokens) == len(visitors) == 100
    assert all(len(token) >= 20 for token in tokens)


def test_the_text_of_a_session_is_the_one_it_sent_last():
    visitors = Visitors()
    token = visitors.mint()
    assert visitors.text(token) is None
    visitors.put(token, "one")
    visitors.put(token, "two")
    assert visitors.text(token) == "two"
    visitors.put("made up", "three")
    assert not visitors.knows("made up")


def test_the_session_that_asked_longest_ago_is_forgotten_first():
    visitors = Visitors(max_visitors=2)
    one, two = visitors.mint(), visitors.mint()
    visitors.put(one, "still here")
    three = visitors.mint()
    assert [visitors.knows(token) for token in (one, two, three)] == [True, False, True]


def test_all_texts_together_take_no_more_bytes_than_is_allowed():
    visitors = Visitors(max_bytes=2_000_000)
    tokens = [visitors.mint() for _ in range(30)]
    for token in tokens:
        visitors.put(token, "\U0001f3ac" * 50_000)  # 200 kB
    kept = [token for token in tokens if visitors.text(token)]
    assert kept == tokens[-9:], "those that were sent last"
    assert all(visitors.knows(token) for token in tokens)
    for _ in range(30):
        visitors.put(tokens[-1], "\U0001f3ac" * 50_000)
    assert [token for token in tokens if visitors.text(token)] == kept, "a text takes the place of the one before"
    assert MAX_BYTES == 32 * 1024**2


def test_a_session_that_asks_for_nothing_is_forgotten():
    visitors = Visitors(kept_s=0.05)
    token = visitors.mint()
    visitors.put(token, "text")
    time.sleep(0.1)
    assert visitors.text(token) is None
    assert len(visitors) == 0
