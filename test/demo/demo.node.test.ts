import { expect, test } from "vitest";
import type { CommandView } from "../../shared/api/controls.ts";
import type { CarrierProject } from "../carrier/client.ts";
import { floor } from "./floor.ts";
import { invitation } from "./invitation.ts";
import { acme } from "./one-way.ts";
import { deedsTable } from "./operator.ts";
import type { Played } from "./playing.ts";
import { tableOf } from "./table.ts";
import { desk } from "./three-ways.ts";
import { troubled } from "./troubles.ts";

const calls = [acme, desk, ...troubled, floor].flatMap(({ acts }) => acts.flat());

/** Every call of the demo, gone as it should. */
const played = calls.map((call): Played => {
  const { rule, outcome, conference, joined_by } = call.expected;
  const reason = outcome === "document" ? { reason: `calling.join_conference: 409 ${"x".repeat(90)}` } : {};
  const view = {
    from: call.request.from,
    to: call.request.to,
    began_at: 0,
    webhooks: [],
    joins: conference === null ? [] : [{ conference, at: 1 }],
    joined_by,
  };
  // As much of the simulator's view as the table looks at.
  return {
    call: { ...call, call_id: "c" },
    view,
    answers: [{ call: "c", rule, outcome, room: conference, ...reason }],
    joins_asked: 1,
    missed: null,
  } as unknown as Played;
});

test("the demo's table fits 100 columns, and shows what went wrong in a line of its own", () => {
  const lines = tableOf(played).split("\n");
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
  const [head, rule] = lines;
  expect([head?.trim(), rule]).toEqual([
    expect.stringMatching(/^via +rule +outcome +conference +joined by$/),
    expect.stringMatching(/^─[─ ]*─$/),
  ]);
  const refused = lines.findIndex((line) => line.startsWith("RELAY refuses the join: 409"));
  expect(lines[refused]).toMatch(/ swml +support +document +frail:support +document$/);
  expect(lines[refused + 1]).toMatch(/^ {2}document \(calling\.join_conference: 409 x+…$/);
});

test("what the operator did is a table of what was seen, and the commands for it", () => {
  const view = { state: "done", sent_by: "rest", verified_by: "event" } as CommandView; // As much as the table looks at.
  const table = deedsTable([
    { shows: "mute a caller", command: "mute support c-1", view, complaint: null },
    { shows: "end", command: "end support", view: null, complaint: "refused" },
  ]);
  expect(table.split("\n")).toEqual([
    "an operator of floor  state    sent by  seen by",
    "────────────────────  ───────  ───────  ───────",
    "mute a caller         done     rest     event",
    "end                   refused  –        –",
    "",
    "From the command line that is:",
    "",
    "  npx partyline mute support c-1",
    "  npx partyline end support",
  ]);
});

test("while the demo stays up it names a command for each tenant, a PIN, the lobby, RELAY and the API", () => {
  const staged = ["acme", "desk"].map((tenant) => ({
    tenant,
    // The id alone is named.
    carrier: { project_id: `${tenant}-project` } as CarrierProject,
    number: { swml: `http://w/hooks/${tenant}/swml`, cxml: `http://w/hooks/${tenant}/cxml`, relay: tenant },
  }));
  const said = invitation(staged, { WORKER: "http://w", ADMIN_TOKEN: "made-up" });
  const cli = "npx node test/carrier/cli.ts";
  for (const line of [
    "  export WORKER=http://w ADMIN_TOKEN=made-up",
    `  acme  ${cli} --project acme-project call --from +15550100005 --to +15550100100 --url http://w/hooks/acme/swml`,
    `  desk  ${cli} --project desk-project call --from +15550100005 --to +15550100100 --url http://w/hooks/desk/swml`,
    "A PIN: 1234 (member of team-a), 4711 (chair of team-a). Call, then key it, with # behind it:",
    `  ${cli} call --from +15550100006 --to +15550100190 --url http://w/hooks/acme/swml`,
    `  ${cli} digits CALL_ID 1234#`,
    '  curl -X POST $WORKER/api/tenants/acme/conferences/board/lobby/CALL_ID/admit -H "authorization: Bearer $ADMIN_TOKEN"',
    "  export PARTYLINE_URL=$WORKER PARTYLINE_TENANT=acme",
    "  npx partyline watch",
    "  npx partyline mute support CALL_ID",
    `  ${cli} relay down`,
    "The API is $WORKER/api: here http://w/api, and its token is made-up.",
  ])
    expect(said.split("\n")).toContain(line);
});
