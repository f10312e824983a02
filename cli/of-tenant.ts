import { type Command, Option } from "commander";
import type { Target } from "./ruleset-api.ts";
import { tenantId, workerUrl } from "./worker-options.ts";

export interface TenantOptions {
  url: URL;
  tenant: string;
  json?: true;
}

/**
 * The options of what operators look at and do. The two that are always needed may be in the environment: so completion, too, knows
 * whose names are meant.
 * @param whose what is the tenant's.
 * @param exits what each exit code means.
 */
export function ofTenant(command: Command, whose: string, exits: string): Command {
  return command
    .addOption(
      new Option("--url <url>", "the Worker: https://partyline.example.com")
        .env("PARTYLINE_URL")
        .argParser(workerUrl)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--tenant <id>", whose).env("PARTYLINE_TENANT").argParser(tenantId).makeOptionMandatory(),
    )
    .option("--json", "JSON for machines: one object a line")
    .addHelpText(
      "after",
      `
ADMIN_TOKEN, or a tenant's token in its place, is read from the environment variable ADMIN_TOKEN, never from the command line.

Exit codes: ${exits}`,
    );
}

export function targetOf({ url, tenant }: Pick<TenantOptions, "url" | "tenant">): Target {
  const { ADMIN_TOKEN: token = "" } = process.env;
  return { url, tenant, token };
}
