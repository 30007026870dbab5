import numpy as np

from dogclips.reports.pictures.fed_pictures import title_block


def test_no_letter_of_a_title_is_cut_off() -> None:
    for lines in (["WWWWWWWW"], ["W", "the settings below it, which are longer"]):
        block = np.asarray(title_block(lines))

        assert (block[:, -1] == 255).all()
        assert (block < 255).any()
