import type { Call } from "../../shared/call.ts";
import { type CompiledRuleset, compileRuleset } from "../../shared/rules/compile.ts";
import { decide } from "../../shared/rules/decide.ts";
import { parseRuleset } from "../../shared/rules/parse.ts";

// wrangler.toml asks for it of every entry; nothing here uses it.
export { RelaySession } from "./floor-worker.ts";

const tenant = { tenant: "acme", plain: false };

let source = "";
let compiled: CompiledRuleset | null = null;
let calls: Call[] = [];

/** `/load` takes a ruleset and calls; `/decide?times=` and `/compile?times=` do that so many times in one request. */
export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const times = Number(searchParams.get("times"));
    if (pathname === "/load") {
      const loaded = await request.json<{ source: string; calls: Call[] }>();
      source = loaded.source;
      calls = loaded.calls;
      compiled = compile();
    }
    return new Response(String(pathname === "/decide" ? decideAll(times) : compileAll(times)));
  },
} satisfies ExportedHandler;

/** How many found a rule: the caller checks that, so nothing is optimised away. */
function decideAll(times: number): number {
  if (!compiled) throw new Error("nothing is loaded");
  let found = 0;
  for (let i = 0; i < times; i++) {
    const call = calls[i % calls.length];
    if (call && decide(compiled, call, i).rule !== null) found += 1;
  }
  return found;
}

function compileAll(times: number): number {
  let rules = 0;
  for (let i = 0; i < times; i++) rules += compile().rules.length;
  return rules;
}

function compile(): CompiledRuleset {
  const parsed = parseRuleset(source, tenant);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return compileRuleset(parsed.ruleset, { ...tenant, hash: "0".repeat(64) });
}
