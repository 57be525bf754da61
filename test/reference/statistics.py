"""What SciPy 1.17 and statsmodels say of paired differences: writes test/fixtures/statistics.json.

    pip install scipy==1.17.1 statsmodels && python test/reference/statistics.py
"""

import json
import pathlib

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

random = np.random.default_rng(7)
cases = {
    "two": [0.01, 0.03],
    "three": [0.012, -0.004, 0.021],
    "six": [0.01, 0.02, -0.005, 0.03, 0.04, 0.011],
    "ties": [0.01, 0.01, 0.02, 0.02, -0.01, 0.03],
    "zeros": [0.0, 0.01, 0.02, 0.03, -0.01, 0.04, 0.05],
    "all better": [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07],
    "noise": [float(round(value, 4)) for value in random.normal(0, 0.01, 10)],
    "many": [float(value) for value in random.normal(0.004, 0.01, 32)],
}


def told(differences):
    test = stats.ttest_1samp(differences, 0)
    interval = test.confidence_interval(0.95)
    return {
        "differences": differences,
        "low": interval.low,
        "high": interval.high,
        "pValue": test.pvalue,
        # Exact: by all permutations of signs where ranks are shared, else by their known distribution.
        "wilcoxonPValue": stats.wilcoxon(differences).pvalue if len(differences) <= 13 else stats.wilcoxon(differences, method="exact").pvalue,
    }


families = [[0.01, 0.04, 0.03], [0.2], [0.04, 0.04, 0.04, 0.9], [0.001, 0.5, 0.02, 0.3, 0.01]]


document = {
    "paired": {name: told(differences) for name, differences in cases.items()},
    "holm": [{"pValues": family, "adjusted": multipletests(family, method="holm")[1].tolist()} for family in families],
}
path = pathlib.Path(__file__).parent.parent / "fixtures" / "statistics.json"
path.write_text(json.dumps(document, indent=2) + "\n")
