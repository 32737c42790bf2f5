r"""The paper's closed forms for dilute solutions, for any Redlich-Kister coefficients.

With :math:`G_{xs} = x (1 - x) \sum_k {}^kL\,(1 - 2x)^k` (the paper's eq. 3), x the mole
fraction of the second component, and the coherency energy :math:`B x^2` (eq. 12). They are
limits: exact as T goes to zero, and the better the smaller the fractions they give.
`BinarySolution` has the exact curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lina_calphad.checks import Array, Flags, kelvin
from lina_calphad.errors import NoMiscibilityGap
from lina_calphad.phase.energy import R
from lina_calphad.phase.results import Binodal, Spinodal


def excess_slopes(coefficients: Sequence[Any]) -> tuple[Any, Any]:
    r"""Slopes of the excess energy at x = 0 and x = 1, in the paper's eqs. 4 to 9.

    :math:`G_{xs}'(0) = \sum_k {}^kL` and :math:`G_{xs}'(1) = -\sum_k (-1)^k\,{}^kL`, of ⁰L,
    ¹L, ... in J/mol: numbers, arrays or symbols.

    Examples
    --------
    >>> excess_slopes([20109.8, 5772.6])
    (25882.4, -14337.199999999999)
    """
    return sum(coefficients), -sum((-1) ** k * L for k, L in enumerate(coefficients))


def excess_curvatures(coefficients: Sequence[Any]) -> tuple[Any, Any]:
    r"""Curvatures of the excess energy at x = 0 and x = 1, in the paper's eqs. 10 and 11.

    :math:`G_{xs}''(0) = -2 \sum_k (2k + 1)\,{}^kL` and
    :math:`G_{xs}''(1) = -2 \sum_k (-1)^k (2k + 1)\,{}^kL`, of coefficients as of
    `excess_slopes`.

    Examples
    --------
    >>> excess_curvatures([16000.0])
    (-32000.0, -32000.0)
    """
    first = -2 * sum((2 * k + 1) * L for k, L in enumerate(coefficients))
    second = -2 * sum((-1) ** k * (2 * k + 1) * L for k, L in enumerate(coefficients))
    return first, second


def coherency_shift(coherency: Any) -> Any:
    """What a coherency coefficient B adds to the slope in the exponent: -B (the paper's eq. 14).

    It is negative: coherency makes unmixing cost energy, so that more dissolves. By
    symmetry the same shift holds at the other end, for which the paper prints no formula.
    """
    return -coherency


def binodal(T: ArrayLike, coefficients: Sequence[ArrayLike], coherency: float = 0.0) -> Binodal:
    r"""Solubility limits of both components (the paper's eqs. 4 to 7 and 13).

    On the side of the first component :math:`x = \exp[-(G_{xs}'(0) - B)/RT]` (eq. 4, with
    two coefficients eq. 6, coherent eq. 13); on that of the second
    :math:`1 - x = \exp[(G_{xs}'(1) + B)/RT]` (eqs. 5 and 7, and their coherent form). For the
    paper's parameters the latter is a poor guide: its exponent is of 1.8 kJ/mol alone, so
    that 1 - x is not small.

    Parameters
    ----------
    T
        Temperatures in K, of any shape.
    coefficients
        ⁰L, ¹L, ... in J/mol, numbers or arrays that broadcast with `T`.
    coherency
        Coherency coefficient B in J/mol; 0 for the chemical binodal.

    Returns
    -------
    Binodal
        Of the shape of `T`, NaN where the two fractions would add up to 1 or more: no gap
        between dilute solutions then.

    Raises
    ------
    NoMiscibilityGap
        If that is so at all temperatures.
    ValueError
        If a temperature is not positive and finite, or a coefficient not finite.

    Examples
    --------
    >>> binodal(300.0, [20109.8, 5772.6])
    <Binodal at 300 K: x = 3.11589e-05 and 0.99681>
    """
    at0, at1 = excess_slopes(_checked(coefficients, coherency))
    shift = coherency_shift(coherency)
    T, first, second = np.broadcast_arrays(kelvin(T), -(at0 + shift), at1 - shift)
    alpha, beta = first / (R * T), second / (R * T)
    with np.errstate(over="ignore"):
        apart = np.exp(alpha) + np.exp(beta) < 1
    alpha, beta = _valid(np.array([apart, apart]), alpha, beta)
    return Binodal(T, np.exp(alpha), -np.expm1(beta), alpha, beta)


def spinodal(T: ArrayLike, coefficients: Sequence[ArrayLike], coherency: float = 0.0) -> Spinodal:
    r"""Both limits of stability (the paper's eqs. 10 and 11).

    On the side of the first component :math:`x = -RT/[G_{xs}''(0) + 2B]` (eq. 10), on that
    of the second :math:`1 - x = -RT/[G_{xs}''(1) + 2B]` (eq. 11). With two coefficients the
    latter is :math:`1 - x = RT/(2\,{}^0L - 6\,{}^1L)`; the paper prints :math:`2 \times
    10^0 L` and :math:`6 \times 10^1 L`, a slip of typesetting. It is far off as soon as
    1 - x is not small, for the paper's parameters above about 50 K. Arguments and errors are
    those of `binodal`.

    Returns
    -------
    Spinodal
        Of the shape of `T`, each branch NaN where its formula gives no fraction below 1, and
        both where they would have passed each other. The coherent spinodal of the paper's
        parameters has no such limit on the Na-rich side: it ends at a finite fraction as T
        goes to zero.

    Examples
    --------
    >>> spinodal([10.0, 300.0], [20109.8, 5772.6]).x_alpha.round(5).tolist()
    [0.00111, 0.03332]
    """
    curvatures = (c + 2 * coherency for c in excess_curvatures(_checked(coefficients, coherency)))
    T, first, second = np.broadcast_arrays(kelvin(T), *curvatures)
    dilute = np.array([-first, -second]) > R * T
    fractions = -R * T / np.where(dilute, [first, second], -1.0)
    # Branches that have passed each other are no gap.
    dilute &= ~dilute.all(axis=0) | (fractions.sum(axis=0) < 1)
    alpha, beta = _valid(dilute, *fractions)
    return Spinodal(T, alpha, 1 - beta)


def _checked(coefficients: Sequence[ArrayLike] | float, coherency: float) -> list[Array]:
    """The coefficients as arrays; an error where they, or the coherency, cannot be meant."""
    given = [coefficients] if isinstance(coefficients, int | float) else coefficients
    values = [np.asarray(value, dtype=float) for value in given]
    for what, good, got in (
        ("coefficients are finite numbers, at least one", len(values) > 0, coefficients),
        *(("coefficients are finite numbers", np.isfinite(v).all(), v) for v in values),
        ("the coherency coefficient is a finite number", np.isfinite(coherency), coherency),
    ):
        if not good:
            raise ValueError(f"{what}; got {got}")
    return values


def _valid(valid: Flags, alpha: Array, beta: Array) -> tuple[Array, Array]:
    """Each branch, NaN where its formula does not hold; an error where neither does anywhere."""
    if valid.size and not valid.any():
        raise NoMiscibilityGap(
            "no gap between dilute solutions: by the closed forms the fractions would add up to 1 "
            "or more at all of these temperatures"
        )
    return np.where(valid[0], alpha, np.nan), np.where(valid[1], beta, np.nan)
