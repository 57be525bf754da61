"""PED-ANOVA of three made-up searches by Optuna 5.0.0 (pip install optuna==5.0.0). Writes test/fixtures/importance.json."""
import json
import math
import pathlib
import random
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

PATHS = {
    "rate": "training.optimizer.learningRate",
    "batch": "training.batchSize",
    "temperature": "distillation.softTargets.temperature",
    "weight": "distillation.softTargets.weight",
    "warmup": "training.schedule.warmupEpochs",
    "crop": "dataset.augmentation.crop",
    "padding": "dataset.augmentation.crop.padding",
}
DISTRIBUTIONS = {
    "rate": FloatDistribution(0.001, 1, log=True),
    "batch": CategoricalDistribution([32, 64, 128]),
    "temperature": FloatDistribution(1, 10),
    "weight": FloatDistribution(0.1, 1, step=0.1),
    "warmup": IntDistribution(1, 100, log=True),
    "crop": CategoricalDistribution([False, True]),
    "padding": IntDistribution(1, 8),
}


def drawn(generator, name):
    distribution = DISTRIBUTIONS[name]
    if isinstance(distribution, CategoricalDistribution):
        return generator.choice(distribution.choices)
    if name == "weight":
        return round(0.1 * generator.randint(1, 10), 1)
    if distribution.log:
        value = math.exp(generator.uniform(math.log(distribution.low), math.log(distribution.high)))
    else:
        value = generator.uniform(distribution.low, distribution.high)
    return round(value) if isinstance(distribution, IntDistribution) else float(f"{value:.4g}")


def search(seed, count, tied):
    generator = random.Random(seed)
    trials = []
    for _ in range(count):
        values = {name: drawn(generator, name) for name in DISTRIBUTIONS}
        if not values["crop"]:
            del values["padding"]
        accuracy = (
            0.9
            - 0.05 * (math.log10(values["rate"]) + 1) ** 2
            - 0.001 * (values["temperature"] - 4) ** 2
            + (0.02 - 0.002 * (values["padding"] - 3) ** 2 if values["crop"] else 0)
            + generator.gauss(0, 0.01)
        )
        trials.append((values, round(accuracy, 2 if tied else 4)))
    study = optuna.create_study(direction="maximize")
    for values, accuracy in trials:
        distributions = {name: DISTRIBUTIONS[name] for name in values}
        study.add_trial(optuna.trial.create_trial(params=values, distributions=distributions, value=accuracy))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    raw = evaluator.evaluate(study)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {
        "trials": [
            {"values": {PATHS[name]: value for name, value in values.items()}, "validationAccuracy": accuracy}
            for values, accuracy in trials
        ],
        "raw": {PATHS[name]: value for name, value in raw.items()},
        "shares": {PATHS[name]: value for name, value in shares.items()},
    }


fixture = [search(seed, count, tied) for seed, count, tied in [(1, 100, False), (2, 12, False), (3, 400, True)]]
path = pathlib.Path(__file__).parent.parent / "fixtures/importance.json"
path.write_text("[\n" + ",\n".join(json.dumps(search) for search in fixture) + "\n]\n")
