"""Is a second drug worth its price? A cost-effectiveness model, and what learning more would be worth.

Chancellor et al. (1997), PharmacoEconomics 12:54-66, zidovudine alone or with lamivudine, as tabulated in Briggs, Claxton
and Sculpher, Decision Modelling for Health Economic Evaluation (2006), ch. 2 to 4: yearly moves between states A, B, C and
death in 1,734, 1,258 and 1,749 person-years, pounds of 1995; the second drug is taken, and works, for two years of twenty.
"""

import numpy as np
import pandas as pd
import pymc as pm

import bayes

MOVES = {"A": [1251, 350, 116, 17], "B": [731, 512, 15], "C": [1312, 437]}
COST = np.array([1701 + 1055, 1774 + 1278, 6948 + 2059, 0])  # a year in each state, hospital and community
ONE_DRUG, SECOND_DRUG = 2278.0, 2086.50


def build() -> pm.Model:
    """Yearly moves are multinomial; the relative risk of getting worse is 0.509 (95 % 0.365 to 0.710)."""
    with pm.Model() as model:
        for state, counts in MOVES.items():
            moves = pm.Dirichlet(f"moves_{state}", np.ones(len(counts)))
            pm.Multinomial(f"seen_{state}", n=sum(counts), p=moves, observed=counts)
        pm.LogNormal("relative_risk", np.log(0.509), np.log(0.710 / 0.365) / (2 * 1.96))
    return model


def project(moves: list[np.ndarray], risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cost, discounted by 6 % a year, and years of life (draw), when moves to worse states are ``risk`` times as likely."""
    matrix = np.zeros((len(risk), 4, 4))
    for i, found in enumerate(moves):
        matrix[:, i, i:] = found
    worse = np.triu(matrix, 1) * risk[:, None, None]
    treated = worse + np.eye(4) * (1 - worse.sum(axis=2))[:, :, None]
    matrix[:, 3, 3] = 1
    second = SECOND_DRUG * (risk != 1)  # the comparison has one drug throughout
    state, cost, years = np.eye(4)[:1].repeat(len(risk), axis=0), np.zeros(len(risk)), np.zeros(len(risk))
    for year in range(1, 21):
        state = np.einsum("ns,nst->nt", state, treated if year <= 2 else matrix)
        alive = state[:, :3].sum(axis=1)
        cost += (state @ COST + alive * (ONE_DRUG + second * (year <= 2))) / 1.06**year
        years += alive
    return cost, years


if __name__ == "__main__":
    fit = bayes.sample(build(), rng=1997)
    bayes.check(fit).require()
    flat = fit["posterior"].to_dataset().stack(n=("chain", "draw")).transpose("n", ...)
    moves, risk = [flat[f"moves_{state}"].values for state in MOVES], flat["relative_risk"].values
    (cost, years), (cost2, years2) = project(moves, np.ones_like(risk)), project(moves, risk)
    print(f"a year of life costs {np.mean(cost2 - cost) / np.mean(years2 - years):,.0f} pounds")
    gain = 10_000 * (years2 - years) - (cost2 - cost)
    print(f"P(worth it at 10,000 pounds a year of life) = {(gain > 0).mean():.2f}")
    inputs = pd.DataFrame({"relative_risk": risk, "leaving_A": 1 - moves[0][:, 0]})
    print(bayes.sensitivity.evppi(inputs, np.column_stack([0 * gain, gain])).round(1).to_string(index=False))
