from keras import ops

from retouch.training.healing import missed


def test_in_doubt_a_part_of_a_faint_stain_costs_least():
    whole, half = (float(missed(ops.convert_to_tensor(x))) for x in (1.0, 0.5))
    assert 2 * half < 0.6 * whole


def test_of_two_strong_answers_no_mean_costs_least():
    whole, half = (float(missed(ops.convert_to_tensor(x))) for x in (40.0, 20.0))
    assert 2 * half > 0.9 * whole
