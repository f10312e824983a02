import { describe, expect, it } from "vitest";
import type { Figures } from "../../cli/cost-figures.ts";
import { costText } from "../../cli/cost-month.ts";
import { runPartyline } from "./run-partyline.ts";

const figure = (value: number | null) => ({ value, by: "a bench" });
const everything: Figures = {
  webhooks_per_call: figure(2),
  cpu_ms_per_webhook: figure(20),
  object_requests_per_call: figure(4),
  rows_written_per_call: figure(50),
  rows_read_per_call: figure(200),
  kv_reads_per_call: figure(3),
  bytes_per_call: figure(5_000),
  object_requests_per_hour: figure(100),
  rows_written_per_hour: figure(1_000),
  rows_read_per_hour: figure(2_000),
  kv_reads_per_hour: figure(100),
  object_requests_per_hour_of_contexts: figure(300),
  rows_written_per_hour_of_contexts: figure(300),
  rows_read_per_hour_of_contexts: figure(3_000),
  kv_reads_per_hour_of_contexts: figure(100),
  cpu_ms_to_compile: figure(40_000),
  cpu_ms_of_dearest_decision: figure(9),
  mib_of_10000_rules: figure(null),
};

describe("partyline cost", { timeout: 20_000 }, () => {
  it("prints a month on both plans, and says of each part what measured it or that nothing did", async () => {
    const args = ["cost", "--calls", "100000", "--minutes", "10", "--projects", "3", "--contexts", "1"];
    const { out, err, code } = await runPartyline({ args });
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out).toBe(`A month of 100,000 calls of 10 minutes; 3 projects, 1 with contexts.
Cloudflare's prices as its pages had them on 2026-06-30, in USD; a month of 30 days, the calls spread evenly over it.

                 a month             free plan, a day                     paid plan  from
Worker requests  at least 400,000    13,334 of 100,000                    $0.00      bench per-call, 2026-11-28
Worker CPU, ms   at least 356,800    10 ms a request                      $0.00      bench webhook-to-accepted
Object requests  at most 924,880     30,830 of 100,000                    $0.00      bench per-call, 2026-11-28; bench idle, 2026-11-28
Object GB-s      at most 995,328     33,178 of 13,000: MAY BE TOO MUCH    $7.44      computed: 128 MB while connected
Rows written     at most 5,861,840   195,395 of 100,000: MAY BE TOO MUCH  $0.00      bench per-call, 2026-11-28; bench idle, 2026-11-28
Rows read        at most 44,638,240  1,487,942 of 5,000,000               $0.00      bench per-call, 2026-11-28; bench idle, 2026-11-28
KV reads         at most 829,040     27,635 of 100,000                    $0.00      bench per-call, 2026-11-28; bench idle, 2026-11-28
Stored, GB       0.13                5 GB in all                          $0.00      bench per-call, 2026-11-28

Free plan: may have too little of: Object GB-s, Rows written.
Paid plan: as far as measured $12.44, $5.00 for the plan itself included.

Limits:
- 100,000 rows written a day (free plan): met by 2,000 calls a day, at 50 rows each; here are 3,334
- 10 GB an object, one for each project: met by 1,863,585 calls kept, at 5,366 bytes each; a project keeps 7,778 in 7 days
- 10 ms of CPU a request (free plan): a webhook takes 0.89 ms (bench webhook-to-accepted); the dearest decision that rules allow takes 41 ms (docs/rules.md): TOO MUCH; reading 10,000 rules by CEL takes 115 ms (bench decide): TOO MUCH
- 30 s of CPU a request (paid plan): reading 10,000 rules by CEL takes 115 ms (bench decide)
- 128 MB of memory: 10,000 rules by CEL took 102 MiB, garbage included (bench decide): a second such tenant in one isolate may not fit
`);
  });

  it("charges what is beyond the plan, and says which limits of the free plan are too low", () => {
    const use = { calls: 30_000_000, minutes: 10, projects: 10, contexts: 10 };
    expect(
      `${costText(use, everything)}\n`,
    ).toBe(`A month of 30,000,000 calls of 10 minutes; 10 projects, 10 with contexts.
Cloudflare's prices as its pages had them on 2026-06-30, in USD; a month of 30 days, the calls spread evenly over it.

                 a month                 free plan, a day                           paid plan  from
Worker requests  at least 60,000,000     2,000,000 of 100,000: TOO MUCH             $15.00     a bench
Worker CPU, ms   at least 1,200,000,000  10 ms a request                            $23.40     a bench
Object requests  at most 122,880,000     4,096,000 of 100,000: MAY BE TOO MUCH      $18.28     a bench
Object GB-s      at most 3,317,760       110,592 of 13,000: MAY BE TOO MUCH         $36.47     computed: 128 MB while connected
Rows written     at most 1,509,360,000   50,312,000 of 100,000: MAY BE TOO MUCH     $1,459.36  a bench
Rows read        at most 6,036,000,000   201,200,000 of 5,000,000: MAY BE TOO MUCH  $0.00      a bench
KV reads         at most 91,440,000      3,048,000 of 100,000: MAY BE TOO MUCH      $40.72     a bench
Stored, GB       35                      5 GB in all                                $6.00      a bench

Free plan: has too little of: Worker requests; may have too little of: Object requests, Object GB-s, Rows written, Rows read, KV reads.
Paid plan: as far as measured $1,604.23, $5.00 for the plan itself included.

Limits:
- 100,000 rows written a day (free plan): met by 2,000 calls a day, at 50 rows each; here are 1,000,000
- 10 GB an object, one for each project: met by 2,000,000 calls kept, at 5,000 bytes each; a project keeps 700,000 in 7 days
- 10 ms of CPU a request (free plan): a webhook takes 20 ms (a bench): TOO MUCH; the dearest decision that rules allow takes 9 ms (a bench); reading 10,000 rules by CEL takes 40,000 ms (a bench): TOO MUCH
- 30 s of CPU a request (paid plan): reading 10,000 rules by CEL takes 40,000 ms (a bench): TOO MUCH
- 128 MB of memory: what 10,000 rules take was never measured
`);
  });

  it("tells of a small installation that the free plan does", () => {
    const figures = {
      ...everything,
      bytes_per_call: figure(null),
      cpu_ms_per_webhook: figure(2),
      rows_written_per_hour: figure(10),
    };
    const use = { calls: 300, minutes: 5, projects: 1, contexts: 0 };
    expect(`${costText(use, figures)}\n`).toBe(`A month of 300 calls of 5 minutes; 1 project, 0 with contexts.
Cloudflare's prices as its pages had them on 2026-06-30, in USD; a month of 30 days, the calls spread evenly over it.

                 a month          free plan, a day    paid plan  from
Worker requests  at least 600     20 of 100,000       $0.00      a bench
Worker CPU, ms   at least 1,200   10 ms a request     $0.00      a bench
Object requests  at most 6,200    207 of 100,000      $0.00      a bench
Object GB-s      at most 23,040   768 of 13,000       $0.00      computed: 128 MB while connected
Rows written     at most 15,500   517 of 100,000      $0.00      a bench
Rows read        at most 160,000  5,334 of 5,000,000  $0.00      a bench
KV reads         at most 5,900    197 of 100,000      $0.00      a bench
Stored, GB       not measured     5 GB in all         ?          a bench to come

Free plan: as far as measured, it does.
Paid plan: as far as measured $5.00, $5.00 for the plan itself included.
Not in it, since it was never measured: Stored, GB.

Limits:
- 100,000 rows written a day (free plan): met by 2,000 calls a day, at 50 rows each; here are 10
- 10 GB an object, one for each project: bytes a call were never measured; of the calls of 7 days 142,857,142 are left for each
- 10 ms of CPU a request (free plan): a webhook takes 2 ms (a bench); the dearest decision that rules allow takes 9 ms (a bench); reading 10,000 rules by CEL takes 40,000 ms (a bench): TOO MUCH
- 30 s of CPU a request (paid plan): reading 10,000 rules by CEL takes 40,000 ms (a bench): TOO MUCH
- 128 MB of memory: what 10,000 rules take was never measured
`);
  });

  it.each([
    [["--calls", "0", "--minutes", "1"], "Takes a whole number from 1 on."],
    [["--calls", "1e3", "--minutes", "1"], "Takes a whole number from 1 on."],
    [["--calls", "10"], "required option '--minutes <n>' not specified"],
    [["--calls", "10", "--minutes", "1", "--contexts", "2"], "--contexts cannot be more than --projects"],
  ])("does not reckon where it was called wrongly: %j", async (args, why) => {
    const { out, err, code } = await runPartyline({ args: ["cost", ...args] });
    expect({ out, code }).toEqual({ out: "", code: 2 });
    expect(err).toContain(why);
  });
});
