from learnsym.report.panel import slug


def test_labels_become_file_names():
    assert slug("digits rotation ±60°") == "digits-rotation-60"
    assert slug("±") == "data"
