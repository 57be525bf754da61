"""Optuna, asked line by line: each line of the input is a JSON list [what, ...], each line of the output its answer."""

import json
import sys
import time
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")


def new_study(options):
    """A study; its trials are numbered from 1 as ours are."""
    pruner = optuna.pruners.NopPruner()
    if "rungs" in options:
        pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=options["rungs"][0], reduction_factor=options["rungs"][1])
    sampler = optuna.samplers.TPESampler(seed=options["seed"])
    return optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)


def distribution(dimension):
    if dimension["kind"] == "categorical":
        return CategoricalDistribution(dimension["values"])
    if dimension["kind"] == "discrete":
        return IntDistribution(0, len(dimension["values"]) - 1)
    log = dimension["scale"] == "log"
    kind = FloatDistribution if dimension["kind"] == "double" else IntDistribution
    step = {"step": dimension["step"]} if "step" in dimension else {}
    return kind(dimension["min"], dimension["max"], log=log, **step)


def suggest(trial, dimensions):
    """The values of the dimensions that exist; the space has parents first."""
    values = {}
    for dimension in dimensions:
        when = dimension.get("when")
        if when is not None and values.get(when["name"]) != when["is"]:
            continue
        value = trial._suggest(dimension["name"], distribution(dimension))
        values[dimension["name"]] = dimension["values"][value] if dimension["kind"] == "discrete" else value
    return values


def internal(dimensions, values):
    place = lambda dimension, value: dimension["values"].index(value) if dimension["kind"] == "discrete" else value
    return {one["name"]: place(one, values[one["name"]]) for one in dimensions if one["name"] in values}


def timed(study, dimensions, trials, count):
    """Milliseconds of each of some suggestions after these trials; none of them is told, so that each meets the same."""
    study.add_trials(
        create_trial(
            value=trial["reports"][-1]["value"],
            params=internal(dimensions, trial["values"]),
            distributions={one["name"]: distribution(one) for one in dimensions if one["name"] in trial["values"]},
            intermediate_values={report["epoch"]: report["value"] for report in trial["reports"]},
        )
        for trial in trials
    )
    result = []
    for _ in range(count):
        start = time.perf_counter()
        trial = study.ask()
        suggest(trial, dimensions)
        result.append((time.perf_counter() - start) * 1000)
        study.tell(trial, state=TrialState.FAIL)
    return result


class Peer:
    def __init__(self):
        self.study, self.dimensions, self.trials = None, [], {}

    def version(self):
        return optuna.__version__

    def open(self, options):
        self.study, self.dimensions, self.trials = new_study(options), options["space"], {}

    def ask(self):
        trial = self.study.ask()
        self.trials[trial.number + 1] = trial
        return {"number": trial.number + 1, "values": suggest(trial, self.dimensions)}

    def report(self, number, epoch, value):
        trial = self.trials[number]
        trial.report(value, epoch)
        return trial.should_prune()

    def tell(self, number, value):
        self.study.tell(self.trials[number], value)

    def prune(self, number):
        self.study.tell(self.trials[number], state=TrialState.PRUNED)

    def time(self, trials, count):
        return timed(self.study, self.dimensions, trials, count)


def main():
    peer = Peer()
    for line in sys.stdin:
        what, *rest = json.loads(line)
        print(json.dumps(getattr(peer, what)(*rest)), flush=True)


main()
