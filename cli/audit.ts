import { Command } from "commander";
import { askApi } from "./ask-worker.ts";
import { show, when } from "./columns.ts";
import { fail } from "./fail.ts";
import { ofTenant, type TenantOptions, targetOf } from "./of-tenant.ts";
import { type Told, told } from "./told.ts";
import { wholeNumber } from "./worker-options.ts";

const HOW = { answer_ms: 30_000 };
const PAGE = 200;
const EXITS = "0 it was told, 1 the Worker refused it, 2 the Worker could not be asked.";

type Entry = Told<"listAudit">["entries"][number];

/** `partyline audit`: who did what by the API, newest first. */
export function auditCommand(): Command {
  return ofTenant(new Command("audit"), "whose audit", EXITS)
    .description("list who did what by the API, or was refused it, newest first")
    .option("--limit <number>", "how many entries (50)", wholeNumber)
    .action(async (options: TenantOptions & { limit?: number }) => {
      const target = targetOf(options);
      const { limit = 50 } = options;
      const params = { tenant: target.tenant };
      const entries: Entry[] = [];
      let after: number | undefined;
      do {
        const query = { limit: Math.min(PAGE, limit - entries.length), after };
        const page = told(target, await askApi(target, "listAudit", { params, query }, HOW));
        if ("exit_code" in page) return fail(page.exit_code, page.error, options.json);
        entries.push(...page.data.entries);
        after = page.data.next ?? undefined;
      } while (after !== undefined && entries.length < limit);
      if (options.json) for (const entry of entries) console.log(JSON.stringify(entry));
      else if (entries.length === 0) console.log("Nothing was done by the API.");
      else show([["at", "who", "did", "to", "outcome", "seen by"], ...entries.map(rowOf)]);
    });
}

function rowOf({ at_iso, name, action, target, outcome, sent_by, verified_by }: Entry): string[] {
  const to = Object.entries(target).map(([what, value]) => `${what} ${value}`);
  const how = sent_by === null ? "" : ` by ${sent_by}`;
  return [when(at_iso), name, action, to.join(", "), `${outcome}${how}`, verified_by ?? ""];
}
