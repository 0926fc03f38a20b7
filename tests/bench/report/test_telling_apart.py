from btfer.bench.report.telling_apart import told_apart


def test_names_that_are_shared_get_the_parts_in_which_they_differ_and_others_none() -> None:
    names = ["dan", "lenet5", "dan", "dan", "resnet18"]
    parts = [
        ["fer2013", "strict", "none"],
        ["fer2013", "strict", "none"],
        ["fer2013", "strict + soft labels", "none"],
        ["rafdb", "strict", "none"],
        ["rafdb", "paper", "simple"],
    ]
    assert told_apart(names, parts) == [
        ["fer2013", "strict"],
        [],
        ["fer2013", "strict + soft labels"],
        ["rafdb", "strict"],
        [],
    ]


def test_equal_ones_have_nothing_that_tells_them_apart_and_unknown_parts_are_left_out() -> None:
    assert told_apart(["a", "a"], [["x"], ["x"]]) == [[], []]
    assert told_apart(["a", "a"], [["x", ""], ["y", ""]]) == [["x"], ["y"]]
    assert told_apart(["a", "a"], [["x"], [""]]) == [["x"], []]
