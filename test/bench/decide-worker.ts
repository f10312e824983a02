import type { Call } from "../../shared/call.ts";
import { parseRuleset } from "../../shared/rules/check/parse.ts";
import { compileRuleset } from "../../shared/rules/compile/compile.ts";
import type { CompiledRuleset } from "../../shared/rules/compile/compiled-ruleset.ts";
import { decide } from "../../shared/rules/decide.ts";

// wrangler.toml asks for it of every entry; nothing here uses it.
export { RelaySession } from "./floor-worker.ts";

const tenant = { tenant: "acme", plain: false };

export interface Dated {
  call: Call;
  at_ms: number;
}

interface Loaded {
  source: string;
  /** Calls that some rule takes, and one that none does. */
  taken: Dated[];
  stray: Dated;
}

let loaded: Loaded = { source: "", taken: [], stray: { call: {} as Call, at_ms: 0 } };
let compiled: CompiledRuleset | null = null;

/** `/load` takes a ruleset and calls; `/taken?times=`, `/stray?times=` and `/compile?times=` work so often in one request. */
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const times = Number(searchParams.get("times"));
    switch (pathname) {
      case "/load":
        loaded = await request.json<Loaded>();
        compiled = compile();
        return new Response("1");
      case "/ready":
        return new Response("0");
      case "/compile":
        return new Response(String(compileAll(times)));
      default:
        return new Response(String(decideAll(pathname === "/taken" ? loaded.taken : [loaded.stray], times)));
    }
  },
} satisfies ExportedHandler;

/** How many found a rule: the caller checks that, so nothing is optimised away. */
function decideAll(calls: readonly Dated[], times: number): number {
  if (!compiled) throw new Error("nothing is loaded");
  let found = 0;
  for (let i = 0; i < times; i++) {
    const next = calls[i % calls.length];
    if (next && decide(compiled, next.call, next.at_ms).rule !== null) found += 1;
  }
  return found;
}

function compileAll(times: number): number {
  let rules = 0;
  for (let i = 0; i < times; i++) rules += compile().rules.length;
  return rules;
}

function compile(): CompiledRuleset {
  const parsed = parseRuleset(loaded.source, { ...tenant, serving: true });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return compileRuleset(parsed.ruleset, { ...tenant, hash: "0".repeat(64) });
}
