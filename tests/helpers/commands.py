"""Commands run in this process, and a recipe small enough for them."""

from __future__ import annotations

import pytest

from polypace.cli.app import main

BASIS = """
elements: [C]
deltaSplineBins: 0.001
embeddings: {ALL: {npot: FinnisSinclairShiftedScaled, fs_parameters: [1, 1], ndensity: 1}}
bonds: {ALL: {radbase: ChebExpCos, radparameters: [4.0], rcut: 4.5, dcut: 0.1}}
functions: {ALL: {nradmax_by_orders: [4, 2], lmax_by_orders: [0, 1]}}
"""


def run(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code
