"""The shipped posterior in Stan and in JAGS, written from ``bayes/heroin/README.md``, with the numbers as data.

The plain model: group effects are sampled, not integrated out (in Stan as standard normals times their sd, which
diverges less); what no evidence bears on is left out. Priors are
written by family, so that a changed number changes data only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

LEFT_OUT = {"fidelity", "opioid_clients", "occupancy", "current_patients", "eligible_share", "opiate_users",
            "programme_cost", "cost_per_offence", "targeting_strength"}  # fmt: skip

STAN_FAMILY = {
    "Normal": ("real", "normal(p_{0}[1], p_{0}[2])"), "LogNormal": ("real<lower=0>", "lognormal(p_{0}[1], p_{0}[2])"),
    "HalfNormal": ("real<lower=0>", "normal(0, p_{0}[1])"),
    "Beta": ("real<lower=0, upper=1>", "beta(p_{0}[1], p_{0}[2])"),
    "ShiftedLogNormal": ("real<lower=0>", "lognormal(p_{0}[1], p_{0}[2])"),
}  # fmt: skip
JAGS_FAMILY = {
    "Normal": "dnorm(p_{0}[1], pow(p_{0}[2], -2))", "LogNormal": "dlnorm(p_{0}[1], pow(p_{0}[2], -2))",
    "HalfNormal": "dnorm(0, pow(p_{0}[1], -2)) T(0,)", "Beta": "dbeta(p_{0}[1], p_{0}[2])",
    "ShiftedLogNormal": "dlnorm(p_{0}[1], pow(p_{0}[2], -2))",
}  # fmt: skip

STAN = """
data {{
{priors_data}
  int J; int pop[J];
  int n_t; int t_study[n_t]; vector[n_t] t_n; vector[n_t] t_w; int t_y[n_t]; int t_k[n_t];
  int n_a; int a_study[n_a]; int a_n[n_a]; vector[n_a] a_w; int a_y[n_a]; int a_k[n_a];
  int n_m; int m_study[n_m]; vector[n_m] m_y; vector[n_m] m_se;
  int n_o; int o_study[n_o]; vector[n_o] o_w; vector[n_o] o_y; vector[n_o] o_se; int o_k[n_o];
  int R; int K; int n_b; matrix[R, K] Z; matrix[R, n_b] B; vector[R] y; matrix[R, R] S; int theta[K];
  int C; int patients[C]; int clients[C];
  int n_f; int retained[n_f]; int entered[n_f]; vector[n_f] f_years;
  int U; vector[U] u_y; vector[U] u_se;
}}
parameters {{
{parameters}
  vector[J] log_study_mean; vector[K] raw; vector[C] logit_coverage;
}}
transformed parameters {{
  vector[K] effect;
  for (k in 1:K) effect[k] = theta[k] == 1 ? mu_theta + tau_theta * raw[k] : mu_gamma + tau_gamma * raw[k];
}}
model {{
  vector[4] offset_of = [0, offset_entrants, offset_arrestees, offset_all_users]';
  vector[2] shape = [shape_month, shape_year]';
  vector[J] m = exp(log_study_mean);
  vector[n_b] bias = [{biases}]';
{statements}
  log_study_mean ~ normal(log(offences_per_user_year) + offset_of[pop], sigma_study);
  t_y ~ neg_binomial_2(t_n .* m[t_study] .* t_w, t_n .* shape[t_k]);
  for (i in 1:n_a) a_y[i] ~ binomial(a_n[i], 1 - pow(shape[a_k[i]] / (shape[a_k[i]] + m[a_study[i]] * a_w[i]), shape[a_k[i]]));
  m_y ~ normal(log(m[m_study]), m_se);
  for (i in 1:n_o) {{
    real none = pow(shape[o_k[i]] / (shape[o_k[i]] + m[o_study[i]] * o_w[i]), shape[o_k[i]]);
    o_y[i] ~ normal(log1m(none) - log(none), o_se[i]);
  }}
  raw ~ normal(0, 1);
  y ~ multi_normal(Z * effect + B * bias, S);
  logit_coverage ~ normal(mu_coverage, tau_coverage);
  patients ~ binomial_logit(clients, logit_coverage);
  for (i in 1:n_f) retained[i] ~ binomial(entered[i], exp(-pow(f_years[i] / retention_scale, retention_shape)));
  u_y ~ normal(log(countable_share) + log(offences_per_user_year) + offset_all_users + log(p_population[3] + population), u_se);
}}
"""  # noqa: E501

JAGS = """
data {{ Omega <- inverse(S) }}
model {{
{statements}
  offset_of[1] <- 0; offset_of[2] <- offset_entrants; offset_of[3] <- offset_arrestees; offset_of[4] <- offset_all_users
  shape[1] <- shape_month; shape[2] <- shape_year
{biases}
  mean_of[1] <- mu_gamma; mean_of[2] <- mu_theta; precision[1] <- pow(tau_gamma, -2); precision[2] <- pow(tau_theta, -2)
  for (j in 1:J) {{
    log_study_mean[j] ~ dnorm(log(offences_per_user_year) + offset_of[pop[j]], pow(sigma_study, -2))
    m[j] <- exp(log_study_mean[j])
  }}
  for (i in 1:n_t) {{
    t_y[i] ~ dnegbin(shape[t_k[i]] / (shape[t_k[i]] + m[t_study[i]] * t_w[i]), t_n[i] * shape[t_k[i]])
  }}
  for (i in 1:n_a) {{
    a_y[i] ~ dbin(1 - pow(shape[a_k[i]] / (shape[a_k[i]] + m[a_study[i]] * a_w[i]), shape[a_k[i]]), a_n[i])
  }}
  for (i in 1:n_m) {{ m_y[i] ~ dnorm(log(m[m_study[i]]), pow(m_se[i], -2)) }}
  for (i in 1:n_o) {{
    none[i] <- pow(shape[o_k[i]] / (shape[o_k[i]] + m[o_study[i]] * o_w[i]), shape[o_k[i]])
    o_y[i] ~ dnorm(log(1 - none[i]) - log(none[i]), pow(o_se[i], -2))
  }}
  for (k in 1:K) {{ effect[k] ~ dnorm(mean_of[theta[k] + 1], precision[theta[k] + 1]) }}
  for (r in 1:R) {{ fitted[r] <- inprod(Z[r, ], effect) + inprod(B[r, ], bias) }}
  y ~ dmnorm(fitted, Omega)
  for (i in 1:C) {{
    logit_coverage[i] ~ dnorm(mu_coverage, pow(tau_coverage, -2))
    patients[i] ~ dbin(ilogit(logit_coverage[i]), clients[i])
  }}
  for (i in 1:n_f) {{ retained[i] ~ dbin(exp(-pow(f_years[i] / retention_scale, retention_shape)), entered[i]) }}
  for (i in 1:U) {{
    u_y[i] ~ dnorm(log(countable_share) + log(offences_per_user_year) + offset_all_users
                   + log(p_population[3] + population), pow(u_se[i], -2))
  }}
}}
"""

FIT_STAN = """
suppressMessages(library(rstan)); args <- commandArgs(TRUE); rstan_options(auto_write = TRUE)
if (!dir.exists(system.file("include/boost", package = "BH"))) rstan_options(boost_lib = "/usr/include")  # Debian
e <- new.env(); source(args[2], local = e); names_of <- strsplit(args[4], ",")[[1]]
fit <- stan(args[1], data = as.list(e), chains = 4, cores = 2, iter = 2000, warmup = 1000, refresh = 0,
            seed = as.integer(args[5]),
            control = list(adapt_delta = 0.97))
draws <- as.array(fit, pars = names_of)
for (i in 1:4) write.csv(draws[, i, ], file.path(args[3], paste0("chain", i, ".csv")), row.names = FALSE)
writeLines(as.character(sum(get_elapsed_time(fit))), file.path(args[3], "seconds.txt"))
"""


def names(families: dict[str, list[str]]) -> list[str]:
    """The parameters with a declared prior on which evidence bears."""
    return [name for name in families if name not in LEFT_OUT]


def programs(families: dict[str, list[str]], terms: list[str]) -> tuple[str, str]:
    """Stan's and JAGS's programs for these families of priors and bias terms."""
    used = names(families)
    size = {name: len(families[name]) - 1 for name in used}
    stan = STAN.format(
        priors_data="\n".join(f"  vector[{max(2, n)}] p_{name};" for name, n in size.items()),
        parameters="\n".join(f"  {STAN_FAMILY[families[name][0]][0]} {name};" for name in used),
        statements="\n".join(f"  {n} ~ {STAN_FAMILY[families[n][0]][1].format(n)};" for n in used),
        biases=", ".join(terms),
    )
    jags = JAGS.format(
        statements="\n".join(f"  {n} ~ {JAGS_FAMILY[families[n][0]].format(n)}" for n in used),
        biases="\n".join(f"  bias[{i}] <- {term}" for i, term in enumerate(terms, 1)),
    )
    return stan, jags


def data_of(study: Path) -> tuple[dict[str, np.ndarray], dict[str, list[str]], list[str]]:
    """The numbers of a study under the names of the programs, the families of its priors, and the bias terms."""
    import bayes
    from bayes.heroin.model.design import design
    from bayes.heroin.model.numbers import model_numbers
    from bayes.heroin.model.structure import BIASES

    loaded = bayes.load_study(study)
    found, frame = model_numbers(loaded), design(loaded.rows("trials"), loaded.rows("prepost"), BIASES)
    d, rows = found.data, found.layout["offending"]
    families, effects = found.layout["priors"], found.layout["effects"]
    at = dict(zip(found.coords["prior_parameter"], d["prior_parameters"], strict=True))
    out: dict[str, np.ndarray] = {}
    for name in names(families):
        values = [at[f"{name}.{key}"] for key in families[name][1:]]
        out[f"p_{name}"] = np.array(values if len(values) > 1 else [*values, 0.0])
    out |= {"J": np.array(len(rows["population"])), "pop": np.array(rows["population"]) + 1}
    short = {"total": "t", "any": "a", "log_mean": "m", "log_odds_any": "o"}
    word = {"persons": "n", "years": "w", "observed": "y", "se": "se"}
    for measure, s in short.items():
        out[f"n_{s}"] = np.array(len(rows[measure]["study"]))
        out[f"{s}_study"], out[f"{s}_k"] = (np.array(rows[measure][k]) + 1 for k in ("study", "shape"))
        out |= {f"{s}_{w}": d[f"offending_{measure}__{k}"] for k, w in word.items() if f"offending_{measure}__{k}" in d}
    del out["m_k"]
    z, b = frame.z, frame.b
    out |= {"R": np.array(z.shape[0]), "K": np.array(z.shape[1]), "n_b": np.array(b.shape[1]), "Z": z, "B": b,
            "y": d["log_ratio__observed"], "S": frame.s,
            "theta": np.array(effects["is_theta"]).astype(int)}  # fmt: skip
    out |= {"C": np.array(len(d["coverage_patients__observed"])), "patients": d["coverage_patients__observed"],
            "clients": d["coverage_patients__clients"], "n_f": np.array(len(d["retention__observed"])),
            "retained": d["retention__observed"], "entered": d["retention__entered"],
            "f_years": d["retention__years"], "U": np.array(len(d["ceiling__observed"])),
            "u_y": d["ceiling__observed"], "u_se": d["ceiling__se"]}  # fmt: skip
    return out, families, list(effects["terms"])


def r_dump(data: dict[str, np.ndarray], jags: bool) -> str:
    """Data in R's text format; a vector of length one needs its dimension for Stan."""
    lines, suffix = [], "" if jags else "L"
    for name, value in data.items():
        if jags and name == "n_b":  # unused there
            continue
        numbers, whole = value.ravel(order="F"), value.dtype.kind != "f"
        flat = ", ".join(f"{int(x)}{suffix}" if whole else repr(float(x)) for x in numbers)
        if value.ndim == 0:
            lines.append(f"{name} <- {flat}")
        elif value.ndim == 2 or len(value) == 1:
            lines.append(f"{name} <- structure(c({flat}), .Dim = c({', '.join(f'{n}{suffix}' for n in value.shape)}))")
        else:
            lines.append(f"{name} <- c({flat})")
    return "\n".join(lines) + "\n"


def jags_script(folder: Path, wanted: list[str], burn: int, keep: int) -> str:
    """Commands for four chains that write CODA files."""
    monitors = "\n".join(f"monitor {name}" for name in wanted)
    return (f'model in "{folder}/model.bug"\ndata in "{folder}/data.R"\ncompile, nchains(4)\n'
            + "".join(f'parameters in "{folder}/init{i}.R", chain({i})\n' for i in range(1, 5))
            + f'initialize\nupdate {burn}\n{monitors}\nupdate {keep}\ncoda *, stem("{folder}/chain")\n')  # fmt: skip


def read_coda(folder: Path) -> dict[str, np.ndarray]:
    """Draws (chain, draw) by name from CODA files."""
    rows = [line.split() for line in (folder / "chainindex.txt").read_text().splitlines()]
    chains = [np.loadtxt(folder / f"chainchain{i}.txt")[:, 1] for i in range(1, 5)]
    return {name: np.stack([c[int(a) - 1 : int(b)] for c in chains]) for name, a, b in rows}
