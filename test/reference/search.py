"""Writes test/fixtures/search.json: densities, splits and draws of Optuna 5's TPE, points of SciPy's Sobol sequence,
the normal distribution by mpmath, and Optuna's median rule.

    scripts/peers.sh search && .tools/peers-search/bin/python test/reference/search.py
"""

import functools
import json
import pathlib
import sys
import warnings

import mpmath
import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe import parzen_estimator
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_weights
from optuna.trial import TrialState, create_trial
from scipy.stats import qmc

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")
mpmath.mp.dps = 40
# Of equal observations NumPy sorts any first, which depends on the machine; here the earlier one is.
np.argsort = functools.partial(np.argsort, kind="stable")
PARAMETERS = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)
CHOICES = ["relu", "gelu", "tanh"]
DISTRIBUTIONS = {
    "double": FloatDistribution(-5, 10),
    "log": FloatDistribution(1e-5, 1, log=True),
    "stepped": FloatDistribution(0, 0.9, step=0.05),
    "integer": IntDistribution(1, 12),
    "even": IntDistribution(2, 20, step=2),
    "powers": IntDistribution(1, 256, log=True),
    "category": CategoricalDistribution(CHOICES),
}


class Estimator(_ParzenEstimator):
    """Optuna's, whose magic clip has the exponent 1.5 for numbers without steps: `min(100, 1 + kernels)` is what it divides by."""

    def _calculate_numerical_distributions(self, observations, search_space, parameters):
        exponent = 1.5 if search_space.step is None else 1
        parzen_estimator.min = lambda most, count: min(most, count**exponent)
        return super()._calculate_numerical_distributions(observations, search_space, parameters)


def draw(random, name):
    distribution = DISTRIBUTIONS[name]
    if name == "category":
        return CHOICES[random.integers(3)]
    low, high = distribution.low, distribution.high
    if distribution.log:
        value = np.exp(random.uniform(np.log(low), np.log(high)))
    else:
        value = random.uniform(low, high)
    if distribution.step is None:
        return float(f"{value:.4g}")
    value = low + round((value - low) / distribution.step) * distribution.step
    return round(float(value), 2) if isinstance(distribution, FloatDistribution) else int(value)


def density(random, names, count):
    observed = {name: [draw(random, name) for _ in range(count)] for name in names}
    points = {name: [draw(random, name) for _ in range(12)] for name in names}
    internal = lambda values: {
        name: np.array([DISTRIBUTIONS[name].to_internal_repr(value) for value in values[name]]) for name in names
    }
    space = {name: DISTRIBUTIONS[name] for name in names}
    estimator = Estimator(internal(observed), space, PARAMETERS)
    mixture = estimator._mixture_distribution
    rows = lambda values, n: [{name: values[name][i] for name in names} for i in range(n)]
    return {
        "names": names,
        "observed": rows(observed, count),
        "weights": mixture.weights.tolist(),
        "deviations": {
            name: factor.sigma.tolist() for name, factor in zip(names, mixture.distributions) if hasattr(factor, "sigma")
        },
        "points": rows(points, 12),
        "logDensities": estimator.log_pdf(internal(points)).tolist(),
    }


def densities():
    random = np.random.default_rng(13)
    alone = [[name] for name in DISTRIBUTIONS]
    together = [list(DISTRIBUTIONS)]
    return [density(random, names, count) for names in alone + together for count in (0, 1, 2, 14, 60)]


def splits():
    """Which trials are below, as Optuna has it; a study of completed, pruned and running trials."""
    random = np.random.default_rng(7)
    result = []
    for count in (1, 10, 11, 40, 300):
        study = optuna.create_study(direction="maximize")
        trials = []
        for number in range(count):
            kind = random.choice(["succeeded", "stopped", "running"], p=[0.1, 0.7, 0.2])
            epochs = 9 if kind == "succeeded" else int(random.integers(1, 8))
            reports = {}
            best = 0.0
            for epoch in range(1, epochs + 1):
                best = max(best, round(float(random.uniform()), 2))
                reports[epoch] = best
            state = {"succeeded": TrialState.COMPLETE, "stopped": TrialState.PRUNED, "running": TrialState.RUNNING}[kind]
            study.add_trial(
                create_trial(
                    state=state,
                    value=best if kind == "succeeded" else None,
                    params={"double": 0.0},
                    distributions={"double": DISTRIBUTIONS["double"]},
                    intermediate_values=reports,
                )
            )
            trials.append(
                {
                    "number": number + 1,
                    "state": kind,
                    "values": {"double": 0},
                    "reports": [{"epoch": epoch, "value": value} for epoch, value in reports.items()],
                }
            )
        known = sum(trial["state"] != "running" for trial in trials)
        below, above = _split_trials(study, study.get_trials(), default_gamma(known))
        result.append(
            {
                "trials": trials,
                "below": [trial.number + 1 for trial in below],
                "above": [trial.number + 1 for trial in above],
            }
        )
    return result


def medians():
    """Which of the running trials Optuna's MedianPruner would end."""
    random = np.random.default_rng(5)
    result = []
    for _ in range(30):
        study = optuna.create_study(direction="maximize")
        trials = []
        for number in range(int(random.integers(2, 14))):
            is_running = bool(random.uniform() < 0.4)
            epochs = int(random.integers(1, 8)) if is_running else 8
            best, reports = 0.0, {}
            for epoch in range(1, epochs + 1):
                best = max(best, round(float(random.uniform(0, epoch)), 1))
                reports[epoch] = best
            study.add_trial(
                create_trial(
                    state=TrialState.RUNNING if is_running else TrialState.COMPLETE,
                    value=None if is_running else best,
                    intermediate_values=reports,
                )
            )
            trials.append(
                {
                    "number": number + 1,
                    "state": "running" if is_running else "succeeded",
                    "values": {},
                    "reports": [{"epoch": epoch, "value": value} for epoch, value in reports.items()],
                }
            )
        pruner = optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2)
        stops = [
            trial.number + 1
            for trial in study.get_trials()
            if trial.state == TrialState.RUNNING and pruner.prune(study, trial)
        ]
        result.append({"trials": trials, "stops": stops})
    return result


def masses():
    intervals = [(-1, 1), (-0.1, 0.1), (0, 3), (-8, -7.5), (7.5, 8), (-20, 20), (-38, -37), (5, 5.001), (-1e-3, 2e-3)]
    below = lambda x: mpmath.erfc(-mpmath.mpf(x) / mpmath.sqrt(2)) / 2
    mass = lambda a, b: below(-a) - below(-b) if a > 0 else below(b) - below(a)
    return [{"from": a, "to": b, "mass": float(mass(a, b))} for a, b in intervals]


def erfc_series(count=25, nodes=64):
    """Coefficients of src/search/normal.ts: log(erfc(z) exp(z²) / t) in Chebyshev polynomials of 2 t - 1, t = 2 / (2 + z)."""

    def value(y):
        t = (y + 1) / 2
        z = 2 / t - 2
        if z < 2000:
            scaled = mpmath.erfc(z) * mpmath.exp(z * z)
        else:
            terms = [mpmath.mpf(1)]
            for k in range(1, 12):
                terms.append(terms[-1] * -(2 * k - 1) / (2 * z * z))
            scaled = sum(terms) / (z * mpmath.sqrt(mpmath.pi))
        return mpmath.log(scaled / t)

    angles = [mpmath.pi * (k + mpmath.mpf(1) / 2) / nodes for k in range(nodes)]
    values = [value(mpmath.cos(angle)) for angle in angles]
    return [
        float(2 * sum(v * mpmath.cos(j * angle) for v, angle in zip(values, angles)) / nodes) for j in range(count)
    ]


def main():
    if sys.argv[1:] == ["--erfc"]:
        print(erfc_series())
        return
    fixture = {
        "versions": {"optuna": optuna.__version__},
        "densities": densities(),
        "splits": splits(),
        "medians": medians(),
        "sobol": qmc.Sobol(64, scramble=False).random(64).tolist(),
        "masses": masses(),
    }
    path = pathlib.Path(__file__).parent.parent / "fixtures" / "search.json"
    path.write_text(json.dumps(fixture) + "\n")


main()
