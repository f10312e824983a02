import type { Figures } from "./cost-figures.ts";
import {
  BASE_USD,
  CPU_MS,
  limits,
  OBJECT_GB,
  PRICES_OF,
  type Price,
  prices,
  STORED_GB,
} from "./cost-prices.ts";

export interface Use {
  /** Calls a month, of all projects together. */
  calls: number;
  minutes: number;
  projects: number;
  /** Of these projects, those that take calls by contexts: they stay connected. */
  contexts: number;
}

interface Amount {
  /** A month; null where a figure is lacking. */
  value: number | null;
  /** The figures that are lacking, or what the value rests on. */
  by: string;
  bound?: "at least" | "at most";
}

interface Row extends Amount {
  name: string;
  free: string;
  /** For the free plan. */
  is_too_much?: boolean;
  /** Null where it cannot be told. */
  usd: number | null;
}

const DAYS = 30;
const HOURS = DAYS * 24;
const GB = 1_000_000_000;
/** What a project's record says unless it says otherwise: how long it stays connected after a call, and calls are kept. */
const STAYS_MINUTES = 5;
const KEPT_DAYS = 7;

/** What a month comes to on both plans, and where a limit is met, as text. */
export function costText(use: Use, figures: Figures): string {
  const rows = rowsOf(use, figures);
  const unknown = rows.filter(({ usd }) => usd === null).map(({ name }) => name);
  const total = rows.reduce((sum, { usd }) => sum + (usd ?? 0), BASE_USD);
  const { calls, minutes, projects, contexts } = use;
  const heads = ["", "a month", "free plan, a day", "paid plan", "from"];
  const cells = rows.map(({ name, value, bound, free, usd, by }) => [
    name,
    value === null ? "not measured" : `${bound === undefined ? "" : `${bound} `}${number(value)}`,
    free,
    usd === null ? "?" : dollars(usd),
    by,
  ]);
  return [
    `A month of ${some(calls, "call")} of ${some(minutes, "minute")}; ${some(projects, "project")}, ${number(contexts)} with contexts.`,
    `Cloudflare's prices as its pages had them on ${PRICES_OF}, in USD; a month of ${DAYS} days, the calls spread evenly over it.`,
    "",
    ...table([heads, ...cells]),
    "",
    freePlan(rows),
    `Paid plan: as far as measured ${dollars(total)}, ${dollars(BASE_USD)} for the plan itself included.`,
    ...(unknown.length === 0 ? [] : [`Not in it, since it was never measured: ${unknown.join(", ")}.`]),
    "",
    "Limits:",
    ...limitsOf(use, figures).map((line) => `- ${line}`),
  ].join("\n");
}

function freePlan(rows: readonly Row[]): string {
  const over = rows.filter(({ is_too_much }) => is_too_much);
  const surely = over.filter(({ bound }) => bound !== "at most").map(({ name }) => name);
  const maybe = over.filter(({ bound }) => bound === "at most").map(({ name }) => name);
  if (over.length === 0) return "Free plan: as far as measured, it does.";
  const parts = [
    ...(surely.length === 0 ? [] : [`has too little of: ${surely.join(", ")}`]),
    ...(maybe.length === 0 ? [] : [`may have too little of: ${maybe.join(", ")}`]),
  ];
  return `Free plan: ${parts.join("; ")}.`;
}

function rowsOf(use: Use, figures: Figures): Row[] {
  const { calls } = use;
  const hours = hoursConnected(use);
  const webhooks = figures.webhooks_per_call.value;
  const cpu_ms = figures.cpu_ms_per_webhook.value;
  const cpu = webhooks === null || cpu_ms === null ? null : calls * webhooks * cpu_ms;
  const bytes = figures.bytes_per_call.value;
  const stored = bytes === null ? null : (((calls * bytes) / GB) * KEPT_DAYS) / DAYS;
  const counted = (what: "object_requests" | "rows_written" | "rows_read" | "kv_reads"): Amount => {
    const [call, hour, ofContexts] = [
      figures[`${what}_per_call`],
      figures[`${what}_per_hour`],
      figures[`${what}_per_hour_of_contexts`],
    ];
    const lacking = [call, hour, ofContexts].filter(({ value }) => value === null).map(({ by }) => by);
    if (call.value === null || hour.value === null || ofContexts.value === null)
      return { value: null, by: `${[...new Set(lacking)].join(" and ")} to come` };
    return {
      value: calls * call.value + hours.called * hour.value + hours.ofContexts * ofContexts.value,
      by: [...new Set([call.by, hour.by, ofContexts.by])].join("; "),
      bound: "at most",
    };
  };
  return [
    priced("Worker requests", prices.worker_requests, {
      value: webhooks === null ? null : calls * webhooks,
      by: figures.webhooks_per_call.by,
      bound: "at least",
    }),
    {
      name: "Worker CPU, ms",
      value: cpu,
      bound: "at least",
      by: figures.cpu_ms_per_webhook.by,
      free: `${limits.cpu_ms_free} ms a request`,
      usd: cpu === null ? null : beyond(cpu, CPU_MS.included, CPU_MS.usd_per_million),
    },
    priced("Object requests", prices.object_requests, counted("object_requests")),
    priced("Object GB-s", prices.object_gb_s, {
      value: (hours.ofContexts + hours.ofOthers) * 3_600 * OBJECT_GB,
      by: "computed: 128 MB while connected",
      bound: "at most",
    }),
    priced("Rows written", prices.rows_written, counted("rows_written")),
    priced("Rows read", prices.rows_read, counted("rows_read")),
    priced("KV reads", prices.kv_reads, counted("kv_reads")),
    {
      name: "Stored, GB",
      value: stored,
      by: stored === null ? `${figures.bytes_per_call.by} to come` : figures.bytes_per_call.by,
      free: `${STORED_GB.free} GB in all`,
      usd: stored === null ? null : Math.max(0, stored - STORED_GB.included) * STORED_GB.usd_per_gb,
    },
  ];
}

/** At most: projects with contexts always, the others during calls and a while after each, were it to overlap with none. */
function hoursConnected({ calls, minutes, projects, contexts }: Use): {
  ofContexts: number;
  ofOthers: number;
  /** With calls in rooms, or a while after. */
  called: number;
} {
  const called = (some: number) =>
    Math.min(some * HOURS, (calls * (some / projects) * (minutes + STAYS_MINUTES)) / 60);
  const ofOthers = called(projects - contexts);
  return { ofContexts: contexts * HOURS, ofOthers, called: ofOthers + called(contexts) };
}

function priced(name: string, price: Price, amount: Amount): Row {
  const { value } = amount;
  const daily = value === null ? null : Math.ceil(value / DAYS);
  const free =
    daily === null
      ? `? of ${number(price.free_per_day)}`
      : `${number(daily)} of ${number(price.free_per_day)}`;
  const is_too_much = daily !== null && daily > price.free_per_day;
  return {
    name,
    ...amount,
    is_too_much,
    free: is_too_much ? `${free}: ${amount.bound === "at most" ? "MAY BE " : ""}TOO MUCH` : free,
    usd: value === null ? null : beyond(value, price.included, price.usd_per_million),
  };
}

function beyond(value: number, included: number, usd_per_million: number): number {
  return (Math.max(0, value - included) / 1_000_000) * usd_per_million;
}

function limitsOf(use: Use, figures: Figures): string[] {
  const { calls, projects } = use;
  const perDay = calls / DAYS;
  const kept = ((calls / projects) * KEPT_DAYS) / DAYS;
  const rows = figures.rows_written_per_call;
  const bytes = figures.bytes_per_call;
  const { free_per_day } = prices.rows_written;
  const cpu = figures.cpu_ms_per_webhook;
  const compile = figures.cpu_ms_to_compile;
  const dearest = figures.cpu_ms_of_dearest_decision;
  const memory = figures.mib_of_10000_rules;
  return [
    `${number(free_per_day)} rows written a day (free plan): ${
      rows.value === null
        ? `rows a call were never measured; at so many calls ${number(Math.floor(free_per_day / perDay))} are left for each`
        : `met by ${number(Math.floor(free_per_day / rows.value))} calls a day, at ${number(rows.value)} rows each; here are ${number(Math.ceil(perDay))}`
    }`,
    `${limits.object_gb} GB an object, one for each project: ${
      bytes.value === null
        ? `bytes a call were never measured; of the calls of ${KEPT_DAYS} days ${number(Math.floor((limits.object_gb * GB) / kept))} are left for each`
        : `met by ${number(Math.floor((limits.object_gb * GB) / bytes.value))} calls kept, at ${number(bytes.value)} bytes each; a project keeps ${number(Math.ceil(kept))} in ${KEPT_DAYS} days`
    }`,
    `${limits.cpu_ms_free} ms of CPU a request (free plan): ${within(cpu.value, limits.cpu_ms_free, "a webhook", cpu.by)}; ${within(dearest.value, limits.cpu_ms_free, "the dearest decision that rules allow", dearest.by)}; ${within(compile.value, limits.cpu_ms_free, "reading 10,000 rules by CEL", compile.by)}`,
    `${number(limits.cpu_ms_paid / 1_000)} s of CPU a request (paid plan): ${within(compile.value, limits.cpu_ms_paid, "reading 10,000 rules by CEL", compile.by)}`,
    `${limits.memory_mb} MB of memory: ${
      memory.value === null
        ? "what 10,000 rules take was never measured"
        : `10,000 rules by CEL took ${number(memory.value)} MiB, garbage included (${memory.by}): a second such tenant in one isolate may not fit`
    }`,
  ];
}

function within(value: number | null, limit: number, what: string, by: string): string {
  if (value === null) return `${what} was never measured`;
  return `${what} takes ${number(value)} ms (${by})${value > limit ? ": TOO MUCH" : ""}`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function number(value: number): string {
  const digits = value < 10 ? 2 : 0;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

function some(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function dollars(value: number): string {
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}
