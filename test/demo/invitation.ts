import type { StagedTenant } from "./tenants.ts";
import { pins } from "./three-ways.ts";

const cli = "npx node test/carrier/cli.ts";

/** What can be done while the demo stays up, as commands to copy. @param variables which the first line exports. */
export function invitation(
  staged: readonly Pick<StagedTenant, "tenant" | "carrier" | "number">[],
  variables: Record<string, string>,
): string {
  const exported = Object.entries(variables).map((pair) => pair.join("="));
  const [first] = staged;
  if (first === undefined) return "";
  const from_to = "--from +15550100005 --to +15550100100";
  const width = Math.max(...staged.map(({ tenant }) => tenant.length));
  const calls = staged.map(({ tenant, carrier, number }) => {
    const project = `--project ${carrier.project_id}`;
    return `  ${tenant.padEnd(width)}  ${cli} ${project} call ${from_to} --url ${number.swml}`;
  });
  const known = Object.entries(pins).map(
    ([digits, pin]) => `${digits} (${"role" in pin ? pin.role : "member"} of ${pin.room})`,
  );
  const lobby = `$WORKER/api/tenants/${first.tenant}/conferences/board`;
  const token = '-H "authorization: Bearer $ADMIN_TOKEN"';
  return `
Everything is still up. In another terminal, in this folder, paste this first:

  export ${exported.join(" ")}

README.md has five things to try. Here is more. "call" prints the CALL_ID, and what the caller hears.

A call to each tenant, all of them with the rules of test/demo/rules.json:

${calls.join("\n")}

The same number by cXML, and by a RELAY context:

  ${cli} call ${from_to} --cxml-url ${first.number.cxml}
  ${cli} call ${from_to} --context ${first.number.relay}

A PIN: ${known.join(", ")}. Call, then key it, with # behind it:

  ${cli} call --from +15550100006 --to +15550100190 --url ${first.number.swml}
  ${cli} digits CALL_ID ${Object.keys(pins)[0]}#

The lobby: call, see who waits, then admit:

  ${cli} call --from +15550100007 --to +15550100185 --url ${first.number.swml}
  curl ${lobby} ${token}
  curl -X POST ${lobby}/lobby/CALL_ID/admit ${token}

An operator's hands, with a call in the room: watch in one terminal, act in another.

  export PARTYLINE_URL=$WORKER PARTYLINE_TENANT=${first.tenant}
  npx partyline watch
  npx partyline room support
  npx partyline mute support CALL_ID
  npx partyline move support CALL_ID sales
  npx partyline lock support
  npx partyline end support
  npx partyline audit

Break RELAY, call, and bring it back: the call lands by its document all the same.

  ${cli} relay down
  ${cli} relay up

Look around, hang up:

  ${cli} conferences
  ${cli} calls
  ${cli} hangup CALL_ID
  ${cli} journal

The API is $WORKER/api: here ${variables["WORKER"]}/api, and its token is ${variables["ADMIN_TOKEN"]}.

The Worker's log follows. Ctrl-C ends it all.
`;
}
